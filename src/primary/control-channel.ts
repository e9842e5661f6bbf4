/** The primary's end of a worker's control pipe. The worker's end is `worker/control-channel.ts`. */
import type { Socket } from 'node:net'
import { nowMs } from '../base/clock.ts'
import { FRAME, FrameDecoder, encodeFrame } from '../protocol/frames.ts'
import { parseWorkerMessage } from '../protocol/guards.ts'
import type { PrimaryMessage, WorkerMessage } from '../protocol/messages.ts'
import { UNREAD, UNREAD_LIMIT } from './ipc-guard.ts'

/** What one worker may make the primary parse in one window; a flood waits in the worker. */
const WINDOW_MS = 50
const WINDOW_BYTES = 256 * 1024
/** What of the app's messages may wait for a worker that does not read. Of ours it is {@link UNREAD_LIMIT}. */
const QUEUE_LIMIT_BYTES = 1024 * 1024

export interface ChannelHandlers {
  readonly onMessage: (message: WorkerMessage) => void
  /** The app's `process.send`; JSON text, not yet parsed. */
  readonly onAppMessage: (body: string) => void
  /** The worker broke the format; it must be ended. */
  readonly onViolation: (why: string) => void
}

export class WorkerChannel {
  readonly #socket: Socket
  readonly #decoder = new FrameDecoder()
  #windowBytes = 0
  readonly #violation: (why: string) => void
  #violated = false
  #unread = 0
  #windowTimer: NodeJS.Timeout | undefined
  /** Monotonic time in ms at which the worker was last heard of. */
  heardAt: number

  constructor(socket: Socket, handlers: ChannelHandlers) {
    this.#socket = socket
    this.#violation = (why) => {
      if (this.#violated) return
      this.#violated = true
      socket.destroy()
      handlers.onViolation(why)
    }
    this.heardAt = nowMs()
    socket.on('data', (chunk: Buffer) => this.#take(chunk, handlers))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => clearTimeout(this.#windowTimer))
  }

  /** Calls back when the worker's end is closed and everything it sent has been handled; at once if that was before. */
  onceClosed(callback: () => void): void {
    if (this.#socket.closed) callback()
    else this.#socket.once('close', callback)
  }

  send(message: PrimaryMessage): void {
    if (this.#unread >= UNREAD_LIMIT) {
      this.#violation(UNREAD)
      return
    }
    const sent = this.#write(encodeFrame(FRAME.control, JSON.stringify(message)), () => (this.#unread -= 1))
    if (sent) this.#unread += 1
  }

  /** False when the message is too large, or the worker does not read its messages, or is gone. */
  sendApp(body: string): boolean {
    return this.#socket.writableLength < QUEUE_LIMIT_BYTES && this.#write(encodeFrame(FRAME.app, body))
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #write(frame: Buffer | undefined, written?: () => void): boolean {
    if (frame === undefined || !this.#socket.writable) return false
    this.#socket.write(frame, written)
    return true
  }

  #take(chunk: Buffer, handlers: ChannelHandlers): void {
    this.heardAt = nowMs()
    this.#throttle(chunk.length)
    const intact = this.#decoder.push(chunk, (frame) => {
      if (frame.kind === FRAME.app) {
        handlers.onAppMessage(frame.body)
        return
      }
      if (this.#violated) return
      const message = parseWorkerMessage(frame.body)
      if (message === undefined) this.#violation('a control message that is not of the protocol')
      else handlers.onMessage(message)
    })
    if (!intact) this.#violation('bytes on the control pipe that are not of the protocol')
  }

  #throttle(bytes: number): void {
    this.#windowBytes += bytes
    this.#windowTimer ??= setTimeout(() => {
      this.#windowTimer = undefined
      this.#windowBytes = 0
      this.#socket.resume()
    }, WINDOW_MS).unref()
    if (this.#windowBytes >= WINDOW_BYTES) this.#socket.pause()
  }
}
