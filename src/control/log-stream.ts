/**
 * Lines for a client. It takes them from the ring when it can: nothing waits for a slow one but its place in the ring, and
 * what is forgotten before it comes to that is counted and told.
 */
import type { Writable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import type { LogQuery } from '../logs/ring.ts'
import { CONTROL_SCHEMA, type LogBegin, type LogEntry, type LogReport } from '../protocol/control.ts'
import { STREAM_HEADERS } from './event-stream.ts'
import { LIMITS } from './limits.ts'
import type { ControlPorts } from './ports.ts'

type Ports = Pick<ControlPorts, 'followLogs' | 'status' | 'subscribe'>

/** The lines that are there, as one document. */
export async function logDocument(ports: Ports, query: LogQuery): Promise<LogReport> {
  const { name, pid } = ports.status()
  const records: LogEntry[] = []
  const follower = ports.followLogs(query, () => {})
  try {
    for (let more = true; more; ) {
      const batch = follower.read()
      records.push(...batch.records)
      more = batch.more
      // oxlint-disable-next-line no-await-in-loop -- others have their turn between two looks
      if (more) await turn()
    }
  } finally {
    follower.stop()
  }
  return { schemaVersion: CONTROL_SCHEMA, name, pid, records }
}

export interface LogStreamRequest {
  readonly query: LogQuery
  /** Goes on with what comes. */
  readonly isFollowed: boolean
}

/** What is written to: Node's `ServerResponse`. */
export interface LogResponse extends Writable {
  readonly writeHead: (status: number, headers: Readonly<Record<string, string>>) => unknown
}

/**
 * The lines that are there, and those that come if that was asked for, as server-sent events.
 *
 * @param onEnd the client is gone, was dropped, or all was sent; called once
 */
export function openLogStream(ports: Ports, request: LogStreamRequest, response: LogResponse, onEnd: () => void): void {
  void new LogStream(ports, request, response, onEnd).run()
}

class LogStream {
  readonly #request: LogStreamRequest
  readonly #response: LogResponse
  readonly #onEnd: () => void
  readonly #begin: LogBegin
  readonly #follower: ReturnType<Ports['followLogs']>
  readonly #heartbeat: NodeJS.Timeout
  readonly #unsubscribe: () => void
  /** What is to be said besides the lines. */
  #words: string
  #isLive = false
  /** There may be more lines already. */
  #hasMore = false
  /** The last lines are on their way. */
  #isEnding = false
  #isDone = false
  #wake: () => void = () => {}

  constructor(ports: Ports, request: LogStreamRequest, response: LogResponse, onEnd: () => void) {
    this.#request = request
    this.#response = response
    this.#onEnd = onEnd
    const { name, pid, size } = ports.status()
    this.#begin = { name, pid, size }
    this.#words = event('begin', this.#begin)
    this.#follower = ports.followLogs(request.query, () => this.#wake())
    this.#heartbeat = setInterval(() => this.#say(': \n\n'), LIMITS.heartbeatMs).unref()
    this.#unsubscribe = ports.subscribe(({ type, pid: successor }) => {
      if (type === 'upgrade:finished') this.#say(event('upgraded', { pid: successor }))
      if (type !== 'primary:stopped') return
      this.#isEnding = true
      this.#wake()
    })
    response.once('close', () => this.#finish())
    response.writeHead(200, STREAM_HEADERS)
  }

  /** Until the client goes, or all is said. */
  async run(): Promise<void> {
    while (!this.#isDone) {
      const text = this.#next()
      const isTaken = text === '' || this.#response.write(text)
      if (this.#isDone) this.#response.end()
      // oxlint-disable-next-line no-await-in-loop -- one thing after the other, at the pace of the client
      else await (isTaken ? this.#more() : this.#drained())
    }
    // Who does not take the end has had his time.
    setTimeout(() => this.#response.destroy(), LIMITS.writeTimeoutMs).unref()
  }

  /** What can be sent now; empty: nothing yet. */
  #next(): string {
    const { records, missed, more, next } = this.#follower.read()
    this.#hasMore = more
    const id = `${this.#begin.pid}-${next}`
    let text = this.#words
    this.#words = ''
    if (missed > 0) text += event('missed', { lines: missed })
    for (const [index, record] of records.entries()) text += event('log', record, index === records.length - 1 ? id : undefined)
    if (more) return text
    if (!this.#isLive) text += event('live', {})
    this.#isLive = true
    if (this.#request.isFollowed && !this.#isEnding) return text
    this.#finish()
    return text + event('end', { reason: this.#isEnding ? 'stopped' : 'complete' })
  }

  /** Others have their turn, and then there is more to say. */
  async #more(): Promise<void> {
    if (this.#hasMore) await turn()
    else await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  /** The client has taken what it was given. One that does not is dropped. */
  async #drained(): Promise<void> {
    const stall = setTimeout(() => this.#response.destroy(), LIMITS.logStallMs).unref()
    await new Promise<void>((resolve) => {
      this.#wake = () => this.#isDone && resolve()
      this.#response.once('drain', resolve)
    })
    clearTimeout(stall)
  }

  #say(words: string): void {
    this.#words += words
    this.#wake()
  }

  #finish(): void {
    if (this.#isDone) return
    this.#isDone = true
    clearInterval(this.#heartbeat)
    this.#follower.stop()
    this.#unsubscribe()
    this.#wake()
    this.#onEnd()
  }
}

function event(name: string, data: object, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
