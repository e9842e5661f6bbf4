/**
 * Requests of HTTP/1.1 that have begun and not ended, and when each began. It is kept by connection, which costs a tenth of a
 * map by response: V8 has to give each object a hash of its own before it can be a key.
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const RECORD = Symbol('everycore.request')

/** What is in flight on one connection. Those of all connections are a list, so that none is kept when it has ended. */
interface Record {
  readonly socket: Socket
  /** Undefined between two requests. */
  response: ServerResponse | undefined
  at: number
  before: Record | undefined
  next: Record | undefined
}

type Recorded = Socket & { [RECORD]?: Record }

export class InFlight {
  #first: Record | undefined
  /** Requests that came before the one before them on the same connection was answered. */
  readonly #pipelined = new Map<ServerResponse, { readonly socket: Socket; readonly at: number }>()
  count = 0

  begin(socket: Recorded, response: ServerResponse, at: number): void {
    this.count += 1
    const record = socket[RECORD] ?? add(socket)
    if (record.response !== undefined) {
      this.#pipelined.set(response, { socket, at })
      return
    }
    record.response = response
    record.at = at
    record.next = this.#first
    if (this.#first !== undefined) this.#first.before = record
    this.#first = record
  }

  /** When it began; undefined when that was not seen. */
  end(socket: Recorded | null, response: ServerResponse): number | undefined {
    const record = socket?.[RECORD]
    if (record?.response === response) {
      this.#remove(record)
      return record.at
    }
    const at = this.#pipelined.get(response)?.at
    if (at === undefined) return undefined
    this.count -= 1
    this.#pipelined.delete(response)
    return at
  }

  /** Forgets requests whose connection is gone, of which Node tells nothing; returns how many there were. */
  sweep(): number {
    const before = this.count
    for (let record = this.#first; record !== undefined; ) {
      const { next } = record
      if (record.socket.destroyed) this.#remove(record)
      record = next
    }
    for (const [response, { socket }] of this.#pipelined) {
      if (!socket.destroyed) continue
      this.#pipelined.delete(response)
      this.count -= 1
    }
    return before - this.count
  }

  #remove(record: Record): void {
    const { before, next } = record
    if (before === undefined) this.#first = next
    else before.next = next
    if (next !== undefined) next.before = before
    record.response = undefined
    record.before = undefined
    record.next = undefined
    this.count -= 1
  }
}

function add(socket: Recorded): Record {
  const record: Record = { socket, response: undefined, at: 0, before: undefined, next: undefined }
  // Not enumerable: the app may print its sockets.
  Object.defineProperty(socket, RECORD, { value: record })
  return record
}
