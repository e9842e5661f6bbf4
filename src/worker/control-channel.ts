/** The worker's end of the control pipe. The primary's end is `primary/control-channel.ts`. */
import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import type { DiagnosisOrder, DiagnosisReport } from '../protocol/diagnosis.ts'
import { FRAME, FrameDecoder, encodeBytes, encodeFrame } from '../protocol/frames.ts'
import { CONTROL_FD, type PrimaryMessage, type WorkerMessage } from '../protocol/messages.ts'

export interface ControlChannel {
  readonly send: (message: WorkerMessage) => void
  /** False when more is queued than the kernel takes now; undefined when the message is too large. */
  readonly sendApp: (body: string, written?: (error?: Error | null) => void) => boolean | undefined
  readonly report: (report: DiagnosisReport) => void
  /** Bytes of a profile. */
  readonly sendBytes: (seq: number, bytes: Uint8Array) => void
  /** While held, the channel keeps the process alive. */
  readonly hold: (held: boolean) => void
  readonly onMessage: (handler: (message: PrimaryMessage) => void) => void
  readonly onAppMessage: (handler: (body: string) => void) => void
  readonly onOrder: (handler: (order: DiagnosisOrder) => void) => void
  /** Called once, when the primary's end is gone. */
  readonly onClosed: (handler: () => void) => void
}

/**
 * Opens fd 3. It never keeps the process alive: a worker without work ends as it would under plain node.
 *
 * To make the socket takes a millisecond or more. It is made in the first turn of the event loop, when the
 * app's first listen() waits for the primary anyway; what is sent before that is written to the descriptor.
 */
export function openControlChannel(): ControlChannel {
  const decoder = new FrameDecoder()
  let socket: Socket | undefined
  let held = false
  let onMessage: ((message: PrimaryMessage) => void) | undefined
  let onAppMessage: ((body: string) => void) | undefined
  let onOrder: ((order: DiagnosisOrder) => void) | undefined
  let onClosed: (() => void) | undefined

  const closed = (): void => {
    const handler = onClosed
    onClosed = undefined
    socket?.destroy()
    handler?.()
  }
  const read = (chunk: Buffer): void => {
    const intact = decoder.push(chunk, (frame) => {
      if (frame.kind === FRAME.app) onAppMessage?.(frame.body)
      else if (frame.kind === FRAME.control) onMessage?.(JSON.parse(frame.body) as PrimaryMessage)
      else if (frame.kind === FRAME.diagnosis) onOrder?.(JSON.parse(frame.body) as DiagnosisOrder)
    })
    if (!intact) closed()
  }
  const open = (): Socket => {
    if (socket !== undefined) return socket
    socket = new Socket({ fd: CONTROL_FD, readable: true, writable: true })
    socket.on('data', read)
    socket.on('end', closed)
    socket.on('error', closed)
    if (!held) socket.unref()
    return socket
  }
  setImmediate(open)

  const write = (frame: Buffer | undefined): void => {
    if (frame !== undefined && open().writable) open().write(frame)
  }
  return {
    send(message) {
      const frame = encodeFrame(FRAME.control, JSON.stringify(message))
      if (frame !== undefined && socket === undefined && writeNow(frame)) return
      write(frame)
    },
    report(report) {
      write(encodeFrame(FRAME.diagnosis, JSON.stringify(report)))
    },
    sendBytes(seq, bytes) {
      write(encodeBytes(seq, bytes))
    },
    sendApp(body, written) {
      const frame = encodeFrame(FRAME.app, body)
      if (frame === undefined) return undefined
      return open().writable ? open().write(frame, written) : false
    },
    hold(value) {
      held = value
      if (value) socket?.ref()
      else socket?.unref()
    },
    onMessage(handler) {
      onMessage = handler
    },
    onAppMessage(handler) {
      onAppMessage = handler
    },
    onOrder(handler) {
      onOrder = handler
    },
    onClosed(handler) {
      onClosed = handler
    },
  }
}

/** False when the descriptor does not take all of it now; nothing has been written then, since a frame is far smaller than its buffer. */
function writeNow(frame: Buffer): boolean {
  try {
    return writeSync(CONTROL_FD, frame) === frame.length
  } catch (error) {
    // The primary is gone; who reads the end of the pipe will notice.
    return (error as NodeJS.ErrnoException).code !== 'EAGAIN'
  }
}
