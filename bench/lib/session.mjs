/**
 * One run of a bench: a temporary directory, a copy of the built package in it, every process that was
 * started, and the proof at the end that nothing is left of any of them.
 */
import { execFileSync, spawn } from 'node:child_process'
import { closeSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { children, findByEnvironment, identity } from './proc.mjs'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const STOP_MS = 10_000

export const APPS = fileURLToPath(new URL('../apps/', import.meta.url))

export const sleep = (ms) => new Promise((resolve) => {
  setTimeout(resolve, ms)
})

/** Waits until `check` gives something, and says what it waited for when it does not. */
export async function until(check, what, { timeoutMs = 20_000, everyMs = 5 } = {}) {
  const end = performance.now() + timeoutMs
  for (;;) {
    const value = check()
    if (value) return value
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms for ${what}`)
    await sleep(everyMs)
  }
}

export class Session {
  /** pid -> start time, of everything that was seen to belong to this run. */
  #seen = new Map()
  #count = 0

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'everycore-bench-'))
    this.mark = `BENCH_RUN=${this.directory}`
    this.package = join(this.directory, 'everycore')
  }

  /** Copies what is built: another build may replace dist/ at any moment. */
  async copyPackage() {
    await until(() => this.#tryCopy(), 'dist/cli.cjs to be built (npm run build)', { timeoutMs: 15_000, everyMs: 500 })
  }

  #tryCopy() {
    try {
      rmSync(this.package, { recursive: true, force: true })
      mkdirSync(this.package)
      cpSync(join(ROOT, 'package.json'), join(this.package, 'package.json'))
      cpSync(join(ROOT, 'dist'), join(this.package, 'dist'), { recursive: true, filter: (path) => !path.endsWith('/types') })
      symlinkSync(join(ROOT, 'node_modules'), join(this.package, 'node_modules'))
      // Half of a file is not enough.
      const version = execFileSync(process.execPath, [join(this.package, 'dist/cli.cjs'), '--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 5000 })
      return /\d+\.\d+/.test(version) && existsSync(join(this.package, 'dist/worker/preload.cjs'))
    } catch {
      return false
    }
  }

  /** A new directory of its own. */
  makeDirectory(name) {
    this.#count += 1
    const path = join(this.directory, `${String(this.#count).padStart(3, '0')}-${name}`)
    mkdirSync(path, { mode: 0o700 })
    return path
  }

  /** Environment of everything that is started: the mark, the given, and nothing of npm's or of the shell's settings. */
  environment(node, extra) {
    const { HOME, PATH, TMPDIR } = process.env
    return { ...(HOME && { HOME }), ...(TMPDIR && { TMPDIR }), PATH: `${dirname(node.path)}:${PATH}`, BENCH_RUN: this.directory, ...extra }
  }

  /** Starts a process. Its output goes to a file, or to `onOutput`; `hasChannel` is for messages. */
  spawn(path, args, { env, cwd, log, onOutput, hasChannel = false }) {
    const file = openSync(log, 'a')
    const child = spawn(path, args, { env, cwd, stdio: ['ignore', onOutput === undefined ? file : 'pipe', file, ...(hasChannel ? ['ipc'] : [])] })
    closeSync(file)
    child.on('error', () => {})
    if (onOutput !== undefined) child.stdout.setEncoding('utf8').on('data', onOutput)
    if (child.pid === undefined) throw new Error(`cannot start ${path}`)
    this.see(child.pid)
    return child
  }

  /** Remembers a process and its children, to end and to check them later. */
  see(pid) {
    const known = identity(pid)
    if (known === undefined) return
    this.#seen.set(pid, known.startTime)
    for (const child of children(pid)) if (!this.#seen.has(child)) this.see(child)
  }

  /** SIGTERM, and SIGKILL when that was not enough. Only for processes of this run. */
  async end(pid) {
    this.see(pid)
    if (this.#isOurs(pid)) signal(pid, 'SIGTERM')
    try {
      await until(() => !this.#isOurs(pid), `process ${pid} to end`, { timeoutMs: STOP_MS })
    } catch {
      if (this.#isOurs(pid)) signal(pid, 'SIGKILL')
      await until(() => !this.#isOurs(pid), `killed process ${pid} to end`)
    }
  }

  #isOurs(pid) {
    const startTime = this.#seen.get(pid)
    return startTime !== undefined && identity(pid)?.startTime === startTime
  }

  /**
   * Removes everything. Returns what should not have been there any more, as text.
   *
   * @param isInterrupted the run is broken off: what still lives is no defect, and is killed at once
   */
  async close(isInterrupted = false) {
    const left = () => [...new Set([...findByEnvironment(this.mark), ...[...this.#seen.keys()].filter((pid) => this.#isOurs(pid))])]
    const isEmpty = () => left().length === 0
    // Guardians end a moment after their primary.
    if (!isInterrupted) await until(isEmpty, 'the last process to end', { timeoutMs: 3000, everyMs: 50 }).catch(() => {})
    const remains = isInterrupted ? [] : left().map((pid) => `process ${pid}: ${commandOf(pid)}`)
    const kill = () => {
      for (const pid of left()) signal(pid, 'SIGKILL')
      return isEmpty()
    }
    // More than once: a primary may have started a worker meanwhile.
    await until(kill, 'the killed processes to end', { timeoutMs: 5000, everyMs: 50 }).catch(() => {})
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    return existsSync(this.directory) ? [...remains, this.directory] : remains
  }
}

export function signal(pid, name) {
  try {
    process.kill(pid, name)
  } catch {
    // Gone already.
  }
}

function commandOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return '(gone)'
  }
}
