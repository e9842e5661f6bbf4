/** Several apps of one config in the foreground: a supervisor process each, below one small parent that supervises nothing itself. */
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { isatty } from 'node:tty'
import type { Flags } from '../config/collect.ts'
import { EXIT } from '../base/exit-codes.ts'
import type { Settings } from '../config/types.ts'
import { FLAGS } from './argv.ts'
import { LinePrefix } from './line-prefix.ts'
import { PARENT_VARIABLE } from './parent.ts'
import type { Surroundings } from './surroundings.ts'

/** What is started. */
export interface SeveralApps {
  /** The config, absolute. */
  readonly path: string
  readonly request: { readonly flags: Flags }
  readonly cwd: string
  /** Of each app. */
  readonly settings: readonly Settings[]
}

/** Those that a supervisor knows, but SIGURG: it would end, and what takes its place is nobody's child. */
const PASSED_ON = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const
/** With a terminal the kernel sends them to whoever uses it from the background. */
const PASSED_ON_WITHOUT_TERMINAL = ['SIGTTIN', 'SIGTTOU'] as const

/** One app and its process. */
class App {
  readonly name: string
  readonly process: ChildProcess
  /** Null as long as it runs. */
  exitCode: number | null = null
  /** Signals that came before they would have meant what they mean; undefined once they do. */
  #held: NodeJS.Signals[] | undefined = []

  constructor(name: string, child: ChildProcess) {
    this.name = name
    this.process = child
    child.once('message', () => {
      const held = this.#held ?? []
      this.#held = undefined
      for (const signal of held) child.kill(signal)
    })
  }

  pass(signal: NodeJS.Signals): void {
    if (this.#held === undefined) this.process.kill(signal)
    else this.#held.push(signal)
  }
}

/**
 * Starts them all, passes signals on, and waits until the last has ended. None is touched by the end of another.
 *
 * @returns the exit code of the first that failed, else 0
 */
export async function runSeveralApps({ path, request, cwd, settings }: SeveralApps, { env, streams }: Surroundings): Promise<number> {
  // A reader that has gone stops no app.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const width = Math.max(...settings.map(({ name }) => name.length))
  let failure: number | undefined
  const apps: App[] = []
  const say = (text: string): void => void streams.stderr.write(allJson(settings) ? `${JSON.stringify({ level: 40, time: Date.now(), pid: process.pid, msg: text })}\n` : `everycore: ${text}\n`)
  // Before there are any: none may stay behind.
  const remove = passSignals(apps, say)
  for (const own of settings) apps.push(start(own))
  await Promise.all(apps.map(async (app) => {
    const code = await ended(app.process)
    app.exitCode = code
    if (code === EXIT.ok) return
    failure ??= code
    const others = apps.filter(({ exitCode }) => exitCode === null).map(({ name }) => name)
    say(`${app.name} has ended with code ${code}${others.length === 0 ? '' : `; ${others.join(', ')} ${others.length === 1 ? 'goes' : 'go'} on`}`)
  }))
  remove()
  return failure ?? EXIT.ok

  function start({ name, logFormat, color }: Settings): App {
    const child = spawn(process.execPath, [...process.execArgv, join(import.meta.dirname, 'cli.cjs'), ...wordsFor(name, path, request.flags)], {
      cwd,
      // A group of its own: a Ctrl-C of the terminal comes here only, and is passed on once.
      detached: process.platform !== 'win32',
      stdio: ['inherit', 'pipe', 'pipe', 'ipc'],
      // What a pipe would not tell them.
      env: { ...env, EVERYCORE_LOG_FORMAT: logFormat, EVERYCORE_COLOR: String(color), [PARENT_VARIABLE]: String(process.pid) },
    })
    const prefix = logFormat === 'json' ? '' : `${name.padEnd(width)} | `
    for (const stream of ['stdout', 'stderr'] as const) new LinePrefix(prefix, process[stream]).follow(child[stream])
    return new App(name, child)
  }
}

/** In the background each stands by itself, and no parent is needed. Gives the exit code of the first that failed; the others run. */
export async function detachSeveralApps({ path, request, settings }: SeveralApps, { ports, streams }: Surroundings): Promise<number> {
  let failure: number | undefined
  for (const own of settings) {
    const code = await ports.runDetached(own, wordsFor(own.name, path, request.flags), streams)
    if (code !== EXIT.ok) failure ??= code
  }
  return failure ?? EXIT.ok
}

function passSignals(apps: readonly App[], say: (text: string) => void): () => void {
  const hasTerminal = [0, 1, 2].some((fd) => isatty(fd))
  const handlers = new Map<NodeJS.Signals, () => void>()
  for (const signal of [...PASSED_ON, ...(hasTerminal ? [] : PASSED_ON_WITHOUT_TERMINAL)]) {
    handlers.set(signal, () => {
      for (const app of apps) if (app.exitCode === null) app.pass(signal)
    })
  }
  handlers.set('SIGURG', () => say('cannot upgrade several apps below one parent: start each by itself, with --only'))
  for (const [signal, handler] of handlers) process.on(signal, handler)
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler)
  }
}

/** After its output has ended, too. */
async function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('close', (code) => resolve(code ?? EXIT.failure))
    child.once('error', () => resolve(EXIT.failure))
  })
}

/** The command line of one of them. */
function wordsFor(name: string, path: string, flags: Flags): readonly string[] {
  return ['start', ...wordsOf(flags), '--config', path, '--only', name]
}

/** The flags again, but those that choose a config and its apps. */
function wordsOf(flags: Flags): readonly string[] {
  return Object.entries(flags).flatMap(([key, given]) => {
    if (key === 'config' || key === 'only') return []
    const known = FLAGS.find(({ long }) => `--${long}` === given.flag)
    return known?.placeholder === undefined ? [given.flag] : given.texts.map((text) => `${given.flag}=${text}`)
  })
}

function allJson(settings: readonly Settings[]): boolean {
  return settings.every(({ logFormat }) => logFormat === 'json')
}
