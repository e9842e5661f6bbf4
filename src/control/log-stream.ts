/**
 * Lines for a client. It takes them from the ring when it can: nothing waits for a slow one but its place in the ring, and
 * what is forgotten before it comes to that is counted and told.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { LogQuery } from '../logs/ring.ts'
import { CONTROL_SCHEMA, type LogBegin, type LogEntry, type LogReport } from '../protocol/control.ts'
import { STREAM_HEADERS, type StreamEnd } from './event-stream.ts'
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

/** The lines that are there, and those that come if that was asked for, as server-sent events. */
export function openLogStream(ports: Ports, request: LogStreamRequest, end: StreamEnd): Response {
  return new Response(new ReadableStream<Uint8Array>(new LogSource(ports, request, end), new ByteLengthQueuingStrategy({ highWaterMark: 1 })), { headers: STREAM_HEADERS })
}

class LogSource {
  readonly #request: LogStreamRequest
  readonly #end: StreamEnd
  readonly #encoder = new TextEncoder()
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
  #stall: NodeJS.Timeout | undefined

  constructor(ports: Ports, request: LogStreamRequest, end: StreamEnd) {
    this.#request = request
    this.#end = end
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
  }

  /** Called when the client has taken what it was given. */
  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    clearTimeout(this.#stall)
    while (!this.#isDone) {
      const text = this.#next()
      if (text !== '') controller.enqueue(this.#encoder.encode(text))
      if (this.#isDone) controller.close()
      if (text !== '') break
      // oxlint-disable-next-line no-await-in-loop -- until there is something to say
      await this.#more()
    }
    // From here on it is the client's turn. A living one takes everything at once; pull() is called then.
    if (!this.#isDone) this.#stall = setTimeout(() => this.#cut(), LIMITS.logStallMs).unref()
  }

  cancel(): void {
    this.#finish()
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

  async #more(): Promise<void> {
    if (this.#hasMore) {
      await turn()
      return
    }
    await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  #say(words: string): void {
    this.#words += words
    this.#wake()
  }

  #cut(): void {
    this.#finish()
    this.#end.cut()
  }

  #finish(): void {
    if (this.#isDone) return
    this.#isDone = true
    clearInterval(this.#heartbeat)
    clearTimeout(this.#stall)
    this.#follower.stop()
    this.#unsubscribe()
    this.#wake()
    this.#end.onEnd()
  }
}

function event(name: string, data: object, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
