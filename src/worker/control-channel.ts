/** The worker's end of the control pipe. The primary's end is `primary/control-channel.ts`. */
import * as net from 'node:net'
import { FRAME, FrameDecoder, encodeFrame } from '../protocol/frames.ts'
import { CONTROL_FD, type PrimaryMessage, type WorkerMessage } from '../protocol/messages.ts'

export interface ControlChannel {
  readonly send: (message: WorkerMessage) => void
  /** False when more is queued than the kernel takes now; undefined when the message is too large. */
  readonly sendApp: (body: string, written?: (error?: Error | null) => void) => boolean | undefined
  /** While held, the channel keeps the process alive. */
  readonly hold: (held: boolean) => void
  readonly onMessage: (handler: (message: PrimaryMessage) => void) => void
  readonly onAppMessage: (handler: (body: string) => void) => void
  /** Called once, when the primary's end is gone. */
  readonly onClosed: (handler: () => void) => void
}

/** Opens fd 3. It never keeps the process alive: a worker without work ends as it would under plain node. */
export function openControlChannel(): ControlChannel {
  const socket = new net.Socket({ fd: CONTROL_FD, readable: true, writable: true })
  const decoder = new FrameDecoder()
  let onMessage: ((message: PrimaryMessage) => void) | undefined
  let onAppMessage: ((body: string) => void) | undefined
  let onClosed: (() => void) | undefined

  const closed = (): void => {
    const handler = onClosed
    onClosed = undefined
    socket.destroy()
    handler?.()
  }
  socket.on('data', (chunk: Buffer) => {
    const intact = decoder.push(chunk, (frame) => {
      if (frame.kind === FRAME.app) onAppMessage?.(frame.body)
      else onMessage?.(JSON.parse(frame.body) as PrimaryMessage)
    })
    if (!intact) closed()
  })
  socket.on('end', closed)
  socket.on('error', closed)
  socket.unref()

  return {
    send(message) {
      const frame = encodeFrame(FRAME.control, JSON.stringify(message))
      if (frame !== undefined && socket.writable) socket.write(frame)
    },
    sendApp(body, written) {
      const frame = encodeFrame(FRAME.app, body)
      if (frame === undefined) return undefined
      return socket.writable ? socket.write(frame, written) : false
    },
    hold(held) {
      if (held) socket.ref()
      else socket.unref()
    },
    onMessage(handler) {
      onMessage = handler
    },
    onAppMessage(handler) {
      onAppMessage = handler
    },
    onClosed(handler) {
      onClosed = handler
    },
  }
}
