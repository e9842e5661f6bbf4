/** Server-sent events, bounded: a client that does not read is dropped, and the supervisor never waits for one. */
import type { ServerResponse } from 'node:http'
import { LIMITS } from './limits.ts'

/** @see https://html.spec.whatwg.org/multipage/server-sent-events.html */
export interface EventStream {
  /** Nothing happens when the client is gone. */
  readonly send: (name: string, data: object) => void
  /** After what was sent. */
  readonly end: () => void
}

export const STREAM_HEADERS = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

/** @param onEnd the client is gone, was dropped, or all was sent; called once */
export function openEventStream(response: ServerResponse, onEnd: () => void): EventStream {
  let id = 0
  let isOpen = true
  const finish = (last: string): void => {
    if (!isOpen) return
    isOpen = false
    clearInterval(heartbeat)
    response.end(last)
    // Who does not take even that has had its time.
    setTimeout(() => response.destroy(), LIMITS.writeTimeoutMs).unref()
    onEnd()
  }
  const write = (text: string): void => {
    if (!isOpen) return
    response.write(text)
    if (response.writableLength > LIMITS.streamBytes) finish(`event: dropped\ndata: {"why":"more than ${LIMITS.streamBytes} bytes wait for this client"}\n\n`)
  }
  const heartbeat = setInterval(() => write(': \n\n'), LIMITS.heartbeatMs).unref()
  response.once('close', () => finish(''))
  response.writeHead(200, STREAM_HEADERS)
  return {
    send(name, data) {
      id += 1
      write(`id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
    },
    end: () => finish(''),
  }
}
