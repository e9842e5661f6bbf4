/**
 * Ends what has no end of its own, at moments by chance: upgraded connections soon, streams of events only when the time
 * is nearly up, since the answers of many language models are such streams, and those do end.
 */
import type { Connections, OutgoingResponse, ServerSocket } from './connections.ts'
import { windowFor } from './spread.ts'
import { closeWebSocket, webSocketOf } from './web-socket.ts'

/** How long a client may take to answer a close frame. */
const ANSWER_MS = 2000

interface Farewell {
  readonly at: number
  toldAt: number | undefined
}

export interface FarewellTimes {
  /** The longest time over which they are spread. */
  readonly spreadMs: number
  /** When all must be over. */
  readonly quietMs: number
}

export class Farewells {
  readonly #spreadMs: number
  readonly #quietMs: number
  readonly #random: () => number
  readonly #known = new WeakMap<ServerSocket, Farewell>()

  constructor({ spreadMs, quietMs }: FarewellTimes, random: () => number = Math.random) {
    this.#spreadMs = Math.min(spreadMs, quietMs / 2)
    this.#quietMs = quietMs
    this.#random = random
  }

  /** To be called again and again. @param isTime for upgraded connections */
  endDue(connections: Connections, isTime: boolean, elapsedMs: number): void {
    const upgraded: ServerSocket[] = []
    const streams: ServerSocket[] = []
    for (const socket of connections.sockets) {
      if (socket.writableEnded) continue
      if (!socket.parser && connections.occupation(socket) === 'upgraded') upgraded.push(socket)
      else if (isEventStream(socket._httpMessage)) streams.push(socket)
    }
    if (isTime) for (const socket of upgraded) this.#look(socket, upgraded.length, elapsedMs)
    for (const socket of streams) this.#lookAtStream(socket, streams.length, elapsedMs)
  }

  #look(socket: ServerSocket, count: number, elapsedMs: number): void {
    const farewell = this.#of(socket, () => elapsedMs + this.#moment(count))
    if (elapsedMs < farewell.at) return
    const webSocket = webSocketOf(socket)
    if (webSocket === undefined) socket.end()
    else if (farewell.toldAt === undefined) {
      farewell.toldAt = elapsedMs
      closeWebSocket(webSocket)
    } else if (webSocket._closeFrameSent === false) farewell.toldAt = elapsedMs
    else if (elapsedMs - farewell.toldAt >= ANSWER_MS) socket.end()
  }

  #lookAtStream(socket: ServerSocket, count: number, elapsedMs: number): void {
    const { at } = this.#of(socket, () => this.#quietMs - this.#moment(count))
    if (elapsedMs >= at) endEventStream(socket)
  }

  #moment(count: number): number {
    return this.#random() * windowFor(count, this.#spreadMs)
  }

  #of(socket: ServerSocket, at: () => number): Farewell {
    const known = this.#known.get(socket)
    if (known !== undefined) return known
    const farewell = { at: at(), toldAt: undefined }
    this.#known.set(socket, farewell)
    return farewell
  }
}

/** Ends it as a whole response. False for what is no stream of events. */
export function endEventStream(socket: ServerSocket): boolean {
  if (!isEventStream(socket._httpMessage)) return false
  // Between two turns of the loop no chunk is half written.
  if (socket._httpMessage?.chunkedEncoding === true) socket.end('0\r\n\r\n')
  else socket.end()
  return true
}

/** Server-sent events: by the head that was sent, wherever the app has set its fields. */
function isEventStream(response: OutgoingResponse | null | undefined): boolean {
  return response?.headersSent === true && response.writableEnded !== true && /^content-type: *text\/event-stream/im.test(response._header ?? '')
}
