/**
 * How a worker knows that another one has its connection: that one says a byte first. A connection that lies in the queue
 * of a socket looks open and is not: if the other worker ends, whatever was written to it is lost.
 */
import type { Socket } from 'node:net'

/** To be written by who accepts. */
export const GREETING = '\n'

/** Connects, and calls `done` once: when the other worker is there, or cannot be reached. */
export function connectGreeted(path: string, done: (error: Error | null, socket?: Socket) => void): Socket {
  const socket = process.getBuiltinModule('node:net').connect({ path, allowHalfOpen: true })
  let failure: Error = new Error('the other worker has not taken the connection')
  const onError = (error: Error): void => {
    failure = error
  }
  const onClose = (): void => done(failure)
  const onEnd = (): void => void socket.destroy()
  const onReadable = (): void => {
    if (socket.read(GREETING.length) === null) return
    socket.off('error', onError).off('close', onClose).off('end', onEnd).off('readable', onReadable)
    // Its stream must have learnt by then that nobody waits for 'readable' any more.
    setImmediate(() => (socket.destroyed ? done(failure) : done(null, socket)))
  }
  return socket.on('error', onError).once('close', onClose).once('end', onEnd).on('readable', onReadable)
}
