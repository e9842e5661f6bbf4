/** `everycore top`: asks the supervisor, listens to it, draws, does what the keys say. */
import type { ReadStream, WriteStream } from 'node:tty'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ControlEvent, LogEntry, ReloadResult, ScaleResult, StatusReport } from '../protocol/control.ts'
import type { Tone } from './event-text.ts'
import { press, type Command, type Key } from './keys.ts'
import { EMPTY, update, type Input, type Model } from './model.ts'
import { Screen } from './screen.ts'
import type { Look } from './text.ts'
import { view } from './view.ts'

/** The supervisor, as far as it is needed here. Everything may reject. */
export interface TopPorts {
  readonly status: () => Promise<StatusReport>
  /** Resolves when the stream has ended. */
  readonly events: (onEvent: (event: ControlEvent) => void, signal: AbortSignal) => Promise<unknown>
  /** The same for lines of logs. No more are read while the taker takes its time. */
  readonly logs: (taker: LogTaker, signal: AbortSignal) => Promise<unknown>
  readonly reload: () => Promise<ReloadResult>
  readonly scale: (size: '+1' | '-1') => Promise<ScaleResult>
}

export interface LogTaker {
  readonly line: (entry: LogEntry) => Promise<void> | void
  /** So many were forgotten before they could be read. */
  readonly missed: (lines: number) => void
}

export interface TopOptions extends Look {
  readonly stdin: ReadStream
  readonly stdout: WriteStream
  /** The first answer. */
  readonly report: StatusReport
  /** How long a supervisor that does not answer is waited for. One that is started anew, by systemd for instance, is back by then. */
  readonly patienceMs?: number
}

/** Why the view has ended. The terminal is as it was. */
export type TopEnd = { readonly why: 'quit' } | { readonly why: 'signal'; readonly signal: NodeJS.Signals } | { readonly why: 'gone'; readonly said: string }

const POLL_MS = 1000
/** After an event the figures are asked for sooner, but not after each of many. */
const SOON_MS = 200
/** Between two drawings for what came by itself. */
const DRAW_MS = 200
/** Before a stream that has ended is opened again. */
const AGAIN_MS = 500
const PATIENCE_MS = 30_000
const NOTE_MS = 8000
/** Lines that are read until the next drawing: more than any screen has. */
const MOST_WAITING = 2000

export async function runTop(ports: TopPorts, options: TopOptions): Promise<TopEnd> {
  const top = new Top(ports, options)
  return top.run()
}

class Top {
  readonly #ports: TopPorts
  readonly #options: TopOptions
  readonly #screen: Screen
  readonly #over = new AbortController()
  readonly #ended: Promise<TopEnd>
  #end: (end: TopEnd) => void = () => {}
  #model: Model = EMPTY
  #drawing: NodeJS.Timeout | undefined
  readonly #entries: LogEntry[] = []
  #readOn: () => void = () => {}
  #hurry: () => void = () => {}
  #commands = 0
  readonly #patienceMs: number

  constructor(ports: TopPorts, options: TopOptions) {
    this.#ports = ports
    this.#options = options
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS
    this.#ended = new Promise((resolve) => (this.#end = resolve))
    this.#screen = new Screen(options.stdin, options.stdout, {
      onKey: (key) => this.#press(key),
      onRedraw: () => this.#draw(),
      onEnd: (signal) => this.#end(signal === undefined ? { why: 'quit' } : { why: 'signal', signal }),
    })
  }

  async run(): Promise<TopEnd> {
    const { signal } = this.#over
    this.#take({ type: 'reported', report: this.#options.report, nowMs: Date.now() })
    this.#screen.open()
    const taker: LogTaker = { line: (entry) => this.#log(entry), missed: (lines) => this.#missed(lines) }
    const loops = [
      this.#poll(signal),
      this.#again(signal, async () => this.#ports.events((event) => this.#note(event), signal)),
      this.#again(signal, async () => this.#ports.logs(taker, signal)),
    ]
    try {
      return await Promise.race([this.#ended, Promise.all(loops).then(async () => this.#ended)])
    } finally {
      this.#over.abort()
      clearTimeout(this.#drawing)
      this.#screen.close()
    }
  }

  async #poll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one question after the other
      await this.#ask()
      // oxlint-disable-next-line no-await-in-loop
      await this.#pause(signal)
    }
  }

  async #ask(): Promise<void> {
    try {
      const report = await this.#ports.status()
      this.#take({ type: 'reported', report, nowMs: Date.now() })
    } catch (error) {
      this.#take({ type: 'lost', why: wordsOf(error), nowMs: Date.now() })
      const { lost } = this.#model
      if (lost !== undefined && Date.now() - lost.sinceMs >= this.#patienceMs) this.#end({ why: 'gone', said: lost.why })
    }
  }

  /** A second, or less when something has happened. */
  async #pause(signal: AbortSignal): Promise<void> {
    const hurry = new AbortController()
    this.#hurry = () => hurry.abort()
    await sleep(SOON_MS, undefined, { signal }).catch(() => {})
    await sleep(POLL_MS - SOON_MS, undefined, { signal: AbortSignal.any([signal, hurry.signal]) }).catch(() => {})
  }

  /** A stream ends with its supervisor; the next one may be there soon. That there is none is what the other question tells. */
  async #again(signal: AbortSignal, stream: () => Promise<unknown>): Promise<void> {
    while (!signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop
      await stream().catch(() => {})
      // oxlint-disable-next-line no-await-in-loop
      await sleep(AGAIN_MS, undefined, { signal }).catch(() => {})
    }
  }

  #note(event: ControlEvent): void {
    this.#take({ type: 'happened', event })
    this.#hurry()
  }

  /** Many lines may come at once: they are taken when it is time to draw. */
  #log(entry: LogEntry): Promise<void> | void {
    this.#entries.push(entry)
    this.#drawSoon()
    if (this.#entries.length >= MOST_WAITING) return new Promise((resolve) => (this.#readOn = resolve))
  }

  #missed(lines: number): void {
    this.#takeEntries()
    this.#take({ type: 'missed', lines, at: new Date().toISOString() })
  }

  #takeEntries(): void {
    const entries = this.#entries.splice(0)
    if (entries.length > 0) this.#model = update(this.#model, { type: 'logged', entries })
    this.#readOn()
  }

  #take(input: Input): void {
    this.#model = update(this.#model, input)
    this.#drawSoon()
  }

  #drawSoon(): void {
    if (this.#over.signal.aborted) return
    this.#drawing ??= setTimeout(() => this.#draw(), DRAW_MS)
  }

  #draw(): void {
    clearTimeout(this.#drawing)
    this.#drawing = undefined
    const entries = this.#entries.splice(0)
    if (entries.length > 0) this.#model = update(this.#model, { type: 'logged', entries })
    const { color, unicode } = this.#options
    this.#screen.draw(view(this.#model, { ...this.#screen.size, color, unicode, nowMs: Date.now(), patienceMs: this.#patienceMs }))
  }

  #press(key: Key): void {
    const { model, command } = press(this.#model, key)
    this.#model = model
    if (command !== undefined) this.#do(command)
    this.#draw()
  }

  #do(command: Command): void {
    switch (command) {
      case 'quit':
        return this.#end({ why: 'quit' })
      case 'suspend':
        return this.#screen.suspend()
      case 'redraw':
        return this.#screen.redraw()
      case 'reload':
        return void this.#command('reloading', this.#ports.reload, ({ generation, tookMs }) => `reloaded to generation ${generation} in ${(tookMs / 1000).toFixed(1)} s`)
      case 'scale-up':
        return void this.#command('one worker more', async () => this.#ports.scale('+1'), ({ from, size }) => `scaled from ${from} to ${size} workers`)
      case 'scale-down':
        return void this.#command('one worker less', async () => this.#ports.scale('-1'), ({ from, size }) => `scaled from ${from} to ${size} workers`)
    }
  }

  async #command<Result>(begin: string, run: () => Promise<Result>, done: (result: Result) => string): Promise<void> {
    this.#commands += 1
    const number = this.#commands
    // Only the last command has the line.
    const say = (text: string, tone: Tone, untilMs: number): void => {
      if (number === this.#commands) this.#take({ type: 'noted', text, tone, untilMs })
    }
    say(`${begin} …`, 'plain', Number.POSITIVE_INFINITY)
    try {
      say(done(await run()), 'good', Date.now() + NOTE_MS)
    } catch (error) {
      say(wordsOf(error), 'bad', Date.now() + NOTE_MS)
    }
  }
}

function wordsOf(error: unknown): string {
  const { message, why } = error as { readonly message?: unknown; readonly why?: unknown }
  return typeof why === 'string' ? `${String(message)}: ${why}` : String(message)
}
