/**
 * Requests of HTTP/1.1 that have begun and not ended, and when each began. It is kept by connection, which costs a tenth of a
 * map by response: V8 has to give each object a hash of its own before it can be a key.
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const RECORD = Symbol('everycore.request')

interface Record {
  readonly socket: Socket
  /** Undefined between two requests. */
  response: ServerResponse | undefined
  at: number
}

type Recorded = Socket & { [RECORD]?: Record }

export class InFlight {
  readonly #records: Record[] = []
  /** Requests that came before the one before them on the same connection was answered. */
  readonly #pipelined = new Map<ServerResponse, { readonly socket: Socket; readonly at: number }>()
  count = 0

  begin(socket: Recorded, response: ServerResponse, at: number): void {
    this.count += 1
    const record = socket[RECORD] ?? this.#add(socket)
    if (record.response === undefined) {
      record.response = response
      record.at = at
    } else this.#pipelined.set(response, { socket, at })
  }

  /** When it began; undefined when that was not seen. */
  end(socket: Recorded | null, response: ServerResponse): number | undefined {
    const record = socket?.[RECORD]
    if (record?.response === response) {
      this.count -= 1
      record.response = undefined
      return record.at
    }
    const at = this.#pipelined.get(response)?.at
    if (at === undefined) return undefined
    this.count -= 1
    this.#pipelined.delete(response)
    return at
  }

  #add(socket: Recorded): Record {
    const record: Record = { socket, response: undefined, at: 0 }
    // Not enumerable: the app may print its sockets.
    Object.defineProperty(socket, RECORD, { value: record })
    this.#records.push(record)
    return record
  }

  /** Forgets requests whose connection is gone, of which Node tells nothing; returns how many there were. */
  sweep(): number {
    const before = this.count
    for (let index = this.#records.length - 1; index >= 0; index -= 1) {
      const record = this.#records[index]
      if (record?.socket.destroyed !== true) continue
      if (record.response !== undefined) this.count -= 1
      record.response = undefined
      const last = this.#records.pop()
      if (last !== undefined && last !== record) this.#records[index] = last
    }
    for (const [response, { socket }] of this.#pipelined) {
      if (!socket.destroyed) continue
      this.#pipelined.delete(response)
      this.count -= 1
    }
    return before - this.count
  }
}
