/**
 * `process.send` and `process.on('message')` of the app. Its messages travel as frames on the control
 * pipe and not on Node's IPC channel: there a 20-byte message with the right `cmd` ends the parent
 * process, and a large one stops its event loop. Handles still go by IPC.
 */
import { AsyncResource } from 'node:async_hooks'
import { MAX_FRAME_BYTES } from '../protocol/frames.ts'
import type { ControlChannel } from './control-channel.ts'
import type { Readiness } from './readiness.ts'

/** Of a message that goes with a handle; far below the longest line that the primary takes (`IPC_LINE_BYTES`), since Node wraps it. */
const HANDLE_MESSAGE_BYTES = 60 * 1024

type Callback = (error: Error | null) => void
type Send = (message: unknown, handle?: unknown, options?: unknown, callback?: Callback) => boolean

/** Replaces `process.send`; returns how a message from the primary reaches the app. */
export function takeOverMessages(channel: ControlChannel, readiness: Readiness): { readonly deliver: (body: string) => void } {
  // Bound below, to the process that it belongs to.
  // oxlint-disable-next-line typescript/unbound-method
  const original = process.send as Send | undefined
  if (original !== undefined) {
    const sendByIpc: Send = (...input) => original.apply(process, input)
    process.send = (...input: Parameters<Send>) => send(channel, readiness, sendByIpc, input)
  }
  return {
    deliver(body) {
      const message: unknown = JSON.parse(body)
      process.nextTick(() => process.emit('message', message, undefined))
    },
  }
}

function send(channel: ControlChannel, readiness: Readiness, sendByIpc: Send, input: Parameters<Send>): boolean {
  const [message, handle] = input
  const callback = input.find((argument) => typeof argument === 'function') as Callback | undefined
  // The same words as PM2's: ecosystems have learnt them.
  if (message === 'ready') readiness.declare()
  const body = JSON.stringify(message) as string | undefined
  const carriesHandle = typeof handle === 'object' && handle !== null
  const byIpc = body === undefined || !process.connected || carriesHandle || isClusterMessage(message)
  if (byIpc) {
    // The primary ends a worker that sends more.
    if (carriesHandle && body !== undefined && Buffer.byteLength(body) > HANDLE_MESSAGE_BYTES) throw tooLarge(body, HANDLE_MESSAGE_BYTES, ' with a handle')
    return sendByIpc(...input)
  }
  const taken = channel.sendApp(body, callback && AsyncResource.bind((error?: Error | null) => callback(error ?? null)))
  if (taken === undefined) throw tooLarge(body, MAX_FRAME_BYTES)
  return taken
}

function tooLarge(body: string, limit: number, kind = ''): Error {
  const message = `process.send: the message has ${Buffer.byteLength(body)} bytes, the limit${kind} is ${limit}; pass large data by a file or a store`
  return Object.assign(new RangeError(message), { code: 'ERR_EVERYCORE_MESSAGE' })
}

/** node:cluster's own traffic, for datagram sockets, leaves by the same function. */
function isClusterMessage(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'cmd' in message && message.cmd === 'NODE_CLUSTER'
}
