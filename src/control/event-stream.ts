/** Server-sent events, bounded: a client that does not read is dropped, and the supervisor never waits for one. */
import { LIMITS } from './limits.ts'

/** @see https://html.spec.whatwg.org/multipage/server-sent-events.html */
export interface EventStream {
  readonly response: Response
  /** False when the client is gone, or is dropped with this. */
  readonly send: (name: string, data: object) => boolean
  /** After what was sent. */
  readonly end: () => void
}

export interface StreamEnd {
  /** The client is gone, was dropped, or all was sent. Called once. */
  readonly onEnd: () => void
  /** It has been told, and may take no more time. */
  readonly cut: () => void
}

export const STREAM_HEADERS = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

export function openEventStream({ onEnd, cut }: StreamEnd): EventStream {
  const encoder = new TextEncoder()
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let id = 0
  const body = new ReadableStream<Uint8Array>(
    {
      start: (given) => void (controller = given),
      cancel: () => void finish(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: LIMITS.streamBytes }),
  )
  const finish = (): boolean => {
    if (controller === undefined) return false
    controller = undefined
    clearInterval(heartbeat)
    onEnd()
    return true
  }
  const write = (text: string): boolean => {
    if (controller === undefined) return false
    controller.enqueue(encoder.encode(text))
    if ((controller.desiredSize ?? 0) > 0) return true
    controller.enqueue(encoder.encode(`event: dropped\ndata: {"why":"more than ${LIMITS.streamBytes} bytes wait for this client"}\n\n`))
    end()
    setTimeout(cut, LIMITS.writeTimeoutMs).unref()
    return false
  }
  const end = (): void => {
    const ended = controller
    if (finish()) ended?.close()
  }
  const heartbeat = setInterval(() => write(': \n\n'), LIMITS.heartbeatMs).unref()
  return {
    response: new Response(body, { headers: STREAM_HEADERS }),
    send(name, data) {
      id += 1
      return write(`id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
    },
    end,
  }
}
