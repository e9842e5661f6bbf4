/**
 * Takes connections off an HTTP server between two requests, so that another worker can go on with them.
 * Reading is stopped first and in the same turn of the loop as everything else: what the client sends
 * from then on stays in the kernel, and the next owner reads it.
 *
 * @see lib/_http_server.js (connectionListenerInternal)
 */
import type { Server, Socket } from 'node:net'
import type { ClientHandle } from './handles.ts'
import { connectionsOf } from './http-connections.ts'

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
  readonly _httpMessage?: unknown
  destroy(): unknown
}

/** Up to `count` idle connections of the server, taken off it. Empty for servers that are not plain HTTP/1.1. */
export function takeIdle(server: Server, count: number): readonly ClientHandle[] {
  if (count <= 0 || 'setTicketKeys' in server) return []
  const taken: ClientHandle[] = []
  for (const parser of connectionsOf<Parser>(server)?.idle() ?? []) {
    if (taken.length >= count) break
    const handle = detach(parser)
    if (handle !== undefined) taken.push(handle)
  }
  return taken
}

function detach(parser: Parser): ClientHandle | undefined {
  const { socket } = parser
  const handle = socket?._handle
  if (!socket || !handle || !isQuiet(parser, socket, handle)) return undefined
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
