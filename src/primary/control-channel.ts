/** The primary's end of a worker's control pipe. The worker's end is `worker/control-channel.ts`. */
import type { Socket } from 'node:net'
import { nowMs } from '../base/clock.ts'
import { parseDiagnosisReport, type DiagnosisOrder, type DiagnosisReport } from '../protocol/diagnosis.ts'
import { FRAME, FrameDecoder, encodeFrame, type Frame } from '../protocol/frames.ts'
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
  readonly onReport: (report: DiagnosisReport) => void
  /** Bytes of a profile that were asked for. */
  readonly onBytes: (seq: number, bytes: Uint8Array) => void
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
  /** Bytes of profiles that were asked for, and have not come. */
  #expected = 0
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
    this.#sendOwn(encodeFrame(FRAME.control, JSON.stringify(message)))
  }

  order(order: DiagnosisOrder): void {
    if (order.type === 'fetch') this.#expected += order.bytes
    this.#sendOwn(encodeFrame(FRAME.diagnosis, JSON.stringify(order)))
  }

  /** False when the message is too large, or the worker does not read its messages, or is gone. */
  sendApp(body: string): boolean {
    return this.#socket.writableLength < QUEUE_LIMIT_BYTES && this.#write(encodeFrame(FRAME.app, body))
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #sendOwn(frame: Buffer | undefined): void {
    if (this.#unread >= UNREAD_LIMIT) this.#violation(UNREAD)
    else if (this.#write(frame, () => (this.#unread -= 1))) this.#unread += 1
  }

  #write(frame: Buffer | undefined, written?: () => void): boolean {
    if (frame === undefined || !this.#socket.writable) return false
    this.#socket.write(frame, written)
    return true
  }

  #take(chunk: Buffer, handlers: ChannelHandlers): void {
    this.heardAt = nowMs()
    // What was asked for is no flood.
    this.#throttle(Math.max(0, chunk.length - this.#expected))
    const intact = this.#decoder.push(chunk, (frame) => this.#pass(frame, handlers))
    if (!intact) this.#violation('bytes on the control pipe that are not of the protocol')
  }

  #pass(frame: Frame, handlers: ChannelHandlers): void {
    if (frame.kind === FRAME.app) return handlers.onAppMessage(frame.body)
    if (this.#violated) return undefined
    if (frame.kind === FRAME.bytes) {
      this.#expected -= frame.bytes.length
      return this.#expected < 0 ? this.#violation('bytes that nobody asked for') : handlers.onBytes(frame.seq, frame.bytes)
    }
    if (frame.kind === FRAME.diagnosis) return told(parseDiagnosisReport(frame.body), handlers.onReport, this.#violation)
    return told(parseWorkerMessage(frame.body), handlers.onMessage, this.#violation)
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

function told<Message>(message: Message | undefined, handler: (message: Message) => void, violation: (why: string) => void): void {
  if (message === undefined) violation('a control message that is not of the protocol')
  else handler(message)
}
