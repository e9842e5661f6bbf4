/**
 * Takes connections off an HTTP server between two requests, so that another worker can go on with them.
 * Reading is stopped first and in the same turn of the loop as everything else: what the client sends
 * from then on stays in the kernel, and the next owner reads it.
 *
 * @see lib/_http_server.js (connectionListenerInternal)
 */
import type { Server, Socket } from 'node:net'
import { wasFed } from './feed.ts'
import type { ClientHandle } from './handles.ts'
import { connectionsOf } from './http-connections.ts'
import { isResting, restingOf } from './resting.ts'

/** The handle below an accepted socket. */
interface SocketHandle extends ClientHandle {
  reading?: boolean
  onread?: unknown
  /** Bytes that the kernel has not taken yet. */
  readonly writeQueueSize?: number
  readStop?: () => number
}

interface Parser {
  readonly socket?: HttpSocket | null
  readonly incoming?: unknown
  _consumed?: boolean
  readonly unconsume?: () => void
}

interface HttpSocket extends Omit<Socket, 'destroy'> {
  _handle?: SocketHandle | null
  readonly parser?: Parser | null
  readonly _httpMessage?: unknown
  destroy(): unknown
}

export interface Wanted {
  /** At most. */
  readonly count: number
  /** Also those that have never sent a byte. */
  readonly untouched?: boolean
  readonly mayGo?: (client: ClientHandle) => boolean
}

/** A connection without an owner. */
export interface TakenConnection {
  readonly client: ClientHandle
  /** It has had a request, here or elsewhere. */
  readonly isIdle: boolean
}

/** Idle connections of the server, taken off it. Empty for servers that are not plain HTTP/1.1. */
export function takeIdle(server: Server, { count, untouched = false, mayGo = () => true }: Wanted): readonly TakenConnection[] {
  if (count <= 0 || 'setTicketKeys' in server) return []
  const taken: TakenConnection[] = []
  for (const parser of candidates(server, untouched)) {
    if (taken.length >= count) break
    const isIdle = !isUntouched(parser) || isResting(parser.socket as Socket)
    const client = detach(parser, mayGo)
    if (client !== undefined) taken.push({ client, isIdle })
  }
  return taken
}

function* candidates(server: Server, untouched: boolean): Iterable<Parser> {
  const list = connectionsOf<Parser>(server)
  if (list === undefined) return
  // On Node 26 they count as idle from the beginning.
  for (const parser of list.idle()) if (!isUntouched(parser)) yield parser
  for (const socket of restingOf(server)) {
    const { parser } = socket as HttpSocket
    if (parser && isResting(socket)) yield parser
  }
  if (untouched) for (const parser of list.all()) if (isUntouched(parser)) yield parser
}

/** Of what was fed to it the handle knows nothing. */
function isUntouched({ socket }: Parser): boolean {
  return socket?.bytesRead === 0 && !wasFed(socket as Socket)
}

function detach(parser: Parser, mayGo: (client: ClientHandle) => boolean): ClientHandle | undefined {
  const { socket } = parser
  const handle = socket?._handle
  if (!socket || !handle || !isQuiet(parser, socket, handle) || !mayGo(handle)) return undefined
  if (handle.readStop?.() !== 0) return undefined
  handle.reading = false
  if (parser._consumed === true) {
    parser.unconsume?.()
    parser._consumed = false
  }
  handle.onread = () => {}
  // Without a handle the socket ends for the app, and nothing happens to the connection.
  socket._handle = null
  socket.destroy()
  return handle
}

/** Nothing of the last response is left to write, nothing was read that nobody has taken. */
function isQuiet(parser: Parser, socket: HttpSocket, handle: SocketHandle): boolean {
  if (socket.destroyed || socket._httpMessage || parser.incoming) return false
  return socket.writableLength === 0 && socket.readableLength === 0 && (handle.writeQueueSize ?? 0) === 0 && socket.readable && socket.writable
}
