/** Gives a connection to its server together with what was already read of it. */
import type { Server, Socket } from 'node:net'

/** Of these the bytes that the handle has counted are not all. */
const fed = new WeakSet<Socket>()

/** True when the socket was given bytes that another process has read. */
export function wasFed(socket: Socket): boolean {
  return fed.has(socket)
}

/**
 * Calls `keep`, which makes a socket and emits it. The first listener puts the bytes back, so that whoever
 * reads, a parser included, reads them first.
 */
export function feed(server: Server, head: Buffer | undefined, keep: () => void, made: (socket: Socket) => void): void {
  const first = (socket: Socket): void => {
    made(socket)
    if (head === undefined || head.length === 0) return
    fed.add(socket)
    socket.unshift(head)
  }
  server.prependListener('connection', first)
  try {
    keep()
  } finally {
    server.removeListener('connection', first)
  }
}
