/** Runs a verb of the real command, as somebody in another terminal would. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CLI, type Scope } from './app.ts'

const PATIENCE_MS = 30_000

export interface VerbEnd {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface RunningVerb {
  readonly ended: Promise<VerbEnd>
  /** Resolves when its output has that in it. */
  readonly says: (pattern: RegExp) => Promise<void>
  readonly interrupt: () => void
  /** Without a chance to say anything. */
  readonly kill: () => void
  /** What it has written so far. */
  readonly out: () => string
}

/** A runtime directory for one test. */
export function runtimeDir(t: Scope): string {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-run-'))
  t.after(async () => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Starts a verb; it looks into that runtime directory only, and writes nowhere else. */
export function startVerb(directory: string, ...argv: readonly string[]): RunningVerb {
  const child = spawn(process.execPath, [CLI, ...argv], { cwd: directory, env: { ...process.env, NO_COLOR: '1', EVERYCORE_RUNTIME_DIR: directory }, stdio: ['ignore', 'pipe', 'pipe'], timeout: PATIENCE_MS })
  const text = { out: '', err: '' }
  const watchers = new Set<() => void>()
  const take = (stream: 'out' | 'err') => (chunk: string): void => {
    text[stream] += chunk
    for (const watcher of watchers) watcher()
  }
  child.stdout.setEncoding('utf8').on('data', take('out'))
  child.stderr.setEncoding('utf8').on('data', take('err'))
  const ended = once(child, 'close').then(([code]): VerbEnd => ({ code: code as number | null, ...text }))
  return {
    ended,
    interrupt: () => void child.kill('SIGINT'),
    kill: () => void child.kill('SIGKILL'),
    out: () => text.out,
    says: async (pattern) => {
      const said = new Promise<true>((resolve) => {
        const look = (): void => void (pattern.test(text.out + text.err) && resolve(true))
        watchers.add(look)
        look()
      })
      if ((await Promise.race([said, ended])) !== true) throw new Error(`ended without ${String(pattern)}:\n${text.out}${text.err}`)
    },
  }
}

/** Runs a verb to its end. */
export async function verb(directory: string, ...argv: readonly string[]): Promise<VerbEnd> {
  return startVerb(directory, ...argv).ended
}
