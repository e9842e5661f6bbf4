/**
 * Starts the real command on a real script. The command logs JSON, so that a test waits for an event
 * and never for a time; what the app itself prints arrives as records too.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { processesOf, RUN_VARIABLE, type ProcessFacts } from './processes.ts'
import { until } from './until.ts'

export const CLI = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url))
const APPS = fileURLToPath(new URL('../fixtures/apps/', import.meta.url))
const PATIENCE_MS = 20_000

/** One line of the command's JSON log. */
export interface LogRecord {
  readonly msg: string
  readonly level: number
  readonly event?: string
  readonly slot?: number
  readonly pid?: number
  readonly workerPid?: number
  readonly stream?: string
  readonly [field: string]: unknown
}

/** A test, or whatever else ends what it started. */
export interface Scope {
  readonly after: (clean: () => Promise<void>) => void
}

export interface StartOptions {
  /** Options of the command, before the script. */
  readonly options?: readonly string[]
  /** Arguments of the app, after the script. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly workers?: number
  /** Another command than the one that is built. */
  readonly command?: string
  /** The most file descriptors that each process may have. */
  readonly descriptors?: number
  /** Gives the command that starts it, by the variables that it must pass on. It has the pid of what it starts, unless the test looks for that itself. */
  readonly through?: (variables: readonly string[]) => readonly string[]
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** Path of a fixture app. */
export const fixture = (name: string): string => `${APPS}${name}`

/** Below the ports that kernels give by themselves (Linux from 32768, macOS from 49152): nobody's connection or `listen(0)` takes one meanwhile. */
const PORTS = { first: 10_000, count: 22_000 }
/** Test files are processes that run beside each other: each has its own stretch. */
let portsGiven = (process.pid * 101) % PORTS.count

/** A TCP port that nobody listens on; never the same one twice. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + (portsGiven % PORTS.count)
    portsGiven += 1
    const server = createServer().listen(port)
    // oxlint-disable-next-line no-await-in-loop
    const isFree = await once(server, 'listening').then(() => true, () => false)
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

export class App {
  readonly runId = randomUUID()
  readonly port: number
  readonly records: LogRecord[] = []
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  readonly #watchers = new Set<() => void>()
  readonly #listeners = new Set<(record: LogRecord) => void>()

  private constructor(script: string, port: number, { options = [], args = [], env = {}, cwd, workers = 2, command = CLI, descriptors, through = () => [] }: StartOptions) {
    this.port = port
    const added = { PORT: String(port), NO_COLOR: '1', ...env, [RUN_VARIABLE]: this.runId }
    const limit = descriptors === undefined ? [] : ['sh', '-c', 'ulimit -n "$0" && exec "$@"', String(descriptors)]
    const [file, ...before] = [...through(Object.keys(added)), ...limit, process.execPath]
    this.child = spawn(file, [...before, command, 'start', '--log-format', 'json', '-v', '-w', String(workers), ...options, script, ...args], {
      cwd,
      env: { ...process.env, ...added },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream === null) throw new Error('no pipe')
      createInterface({ input: stream }).on('line', (line) => this.#take(line))
    }
    this.ended = once(this.child, 'close').then(([code, signal]) => ({ code: code as number | null, signal: signal as NodeJS.Signals | null }))
    void this.ended.then(() => this.#changed())
  }

  /** Starts, and ends it with the test. The test fails if a process is left. */
  static async start(t: Scope, script: string, options: StartOptions = {}): Promise<App> {
    const app = new App(script.startsWith('/') ? script : fixture(script), await freePort(), options)
    t.after(async () => app.#cleanUp())
    return app
  }

  /** Starts and waits until all workers are ready. */
  static async ready(t: Scope, script: string, options: StartOptions = {}): Promise<App> {
    const app = await App.start(t, script, options)
    await app.event('primary:started')
    return app
  }

  get pid(): number {
    return this.child.pid ?? -1
  }

  /** Calls for every record that comes from now on. */
  onRecord(listener: (record: LogRecord) => void): void {
    this.#listeners.add(listener)
  }

  /** Waits for the n-th record that fits; past ones count. */
  async record(what: string, fits: (record: LogRecord) => boolean, nth = 1): Promise<LogRecord> {
    const find = (): LogRecord | undefined => this.records.filter(fits)[nth - 1]
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = find()
        const isOver = found === undefined && this.child.exitCode !== null
        if (found === undefined && !isOver) return
        clearTimeout(timer)
        this.#watchers.delete(check)
        if (found === undefined) reject(new Error(`ended without: ${what}\n${this.transcript}`))
        else resolve(found)
      }
      const timer = setTimeout(() => {
        this.#watchers.delete(check)
        reject(new Error(`not within ${PATIENCE_MS} ms: ${what}\n${this.transcript}`))
      }, PATIENCE_MS)
      this.#watchers.add(check)
      check()
    })
  }

  /** Waits for the n-th event of the supervisor. */
  async event(name: string, fits: (record: LogRecord) => boolean = () => true, nth = 1): Promise<LogRecord> {
    return this.record(name, (record) => record.event === name && fits(record), nth)
  }

  /** Waits for a line that the app printed. */
  async line(pattern: RegExp, nth = 1): Promise<LogRecord> {
    return this.record(String(pattern), (record) => record.stream !== undefined && pattern.test(record.msg), nth)
  }

  /** What the app printed, in order. */
  get output(): readonly string[] {
    return this.records.filter((record) => record.stream !== undefined).map(({ msg }) => msg)
  }

  /** Pids of the workers by slot, by the log. */
  workerPids(): readonly number[] {
    const bySlot = new Map<number, number>()
    for (const { event, slot, workerPid } of this.records) {
      if (event === 'worker:spawned' && slot !== undefined && workerPid !== undefined) bySlot.set(slot, workerPid)
    }
    return [...bySlot.entries()].sort(([a], [b]) => a - b).map(([, pid]) => pid)
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal)
  }

  /** SIGTERM, and how it ended. */
  async stop(): Promise<Ended> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.kill('SIGTERM')
    return this.ended
  }

  get transcript(): string {
    return this.records.map((record) => `  ${record.slot ?? '-'} ${record.msg}`).join('\n')
  }

  leftovers(): readonly ProcessFacts[] {
    return processesOf(this.runId)
  }

  #take(line: string): void {
    let record: LogRecord
    try {
      record = JSON.parse(line) as LogRecord
    } catch {
      record = { msg: line, level: 30 }
    }
    this.records.push(record)
    for (const listener of this.#listeners) listener(record)
    this.#changed()
  }

  #changed(): void {
    for (const check of this.#watchers) check()
  }

  async #cleanUp(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.kill('SIGQUIT')
      // A test that failed may have left it stopped.
      this.kill('SIGCONT')
      await this.ended
    }
    try {
      await until('no process is left', () => this.leftovers().length === 0, 5000)
    } catch (error) {
      const left = this.leftovers()
      for (const { pid } of left) process.kill(pid, 'SIGKILL')
      throw new Error(`left behind: ${left.map(({ pid, command }) => `${pid} ${command}`).join('; ')}\n${this.transcript}`, { cause: error })
    }
  }
}
