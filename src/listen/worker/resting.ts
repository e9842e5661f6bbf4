/**
 * Connections that came from another worker between two requests, and have sent nothing since. Node takes such a
 * connection for one whose first request is late, and answers it with 408 after `headersTimeout`. Its client was
 * promised `keepAliveTimeout`, so that is what it gets.
 *
 * @see lib/_http_server.js (resOnFinish, checkConnections); src/node_http_parser.cc, ConnectionsList
 */
import { EventEmitter } from 'node:events'
import type { Server, Socket } from 'node:net'

/** Node closes so much later than it promises, where the server does not say. */
const BUFFER_MS = 1000

interface RestingServer extends Server {
  readonly keepAliveTimeout?: number
  readonly keepAliveTimeoutBuffer?: number
  readonly headersTimeout?: number
  readonly requestTimeout?: number
}

interface RestingSocket extends Socket {
  readonly parser?: { readonly remove?: () => void } | null
}

/** By server. Those that have sent something since are in it, too, until they end. */
const resting = new WeakMap<Server, Set<Socket>>()
/** What each had read when it came: a handle that was kept after all has a past. */
const known = new WeakMap<Socket, number>()

/** True while it has sent nothing since it came. */
export function isResting(socket: Socket): boolean {
  return known.get(socket) === socket.bytesRead
}

/** Those of a server. */
export function restingOf(server: Server): Iterable<Socket> {
  return resting.get(server) ?? []
}

/** To be called when the server has the connection. */
export function rest(server: RestingServer, socket: RestingSocket): void {
  // Only HTTP/1.1 knows idle connections.
  if (!socket.parser) return
  const { keepAliveTimeout = 0, keepAliveTimeoutBuffer = BUFFER_MS, headersTimeout = 0, requestTimeout = 0 } = server
  const limitMs = keepAliveTimeout > 0 ? keepAliveTimeout + keepAliveTimeoutBuffer : Number.POSITIVE_INFINITY
  const timer = limitMs < Number.POSITIVE_INFINITY ? setTimeout(() => isResting(socket) && socket.destroy(), limitMs).unref() : undefined
  const sockets = resting.get(server) ?? new Set()
  resting.set(server, sockets.add(socket))
  known.set(socket, socket.bytesRead)
  EventEmitter.prototype.once.call(socket, 'close', () => {
    sockets.delete(socket)
    clearTimeout(timer)
  })
  // Off the list of those that are late; its first byte puts it back.
  if (limitMs >= Math.min(headersTimeout || Number.POSITIVE_INFINITY, requestTimeout || Number.POSITIVE_INFINITY)) socket.parser.remove?.()
}
