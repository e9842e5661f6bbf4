/** Says again and again that the event loop turns, and how much the worker has used up. The primary's half is `primary/vigil.ts`. */
import { subscribe } from 'node:diagnostics_channel'
import type { ServerResponse } from 'node:http'
import type { EventLoopUtilization } from 'node:perf_hooks'
import { residentMemory } from '../base/resident-memory.ts'
import type { BootInfo } from '../protocol/boot.ts'
import type { WorkerMessage } from '../protocol/messages.ts'

/** Of HTTP/1.1, and of HTTP/2 where Node tells. */
const REQUEST_CHANNELS = ['http.server.request.start', 'http2.server.stream.start']

interface HeapStatistics {
  readonly used_heap_size: number
  readonly heap_size_limit: number
}

/** Begins with the first turn of the loop, so that an app that listens at once does not wait for it. */
export function startBeats({ send }: { readonly send: (message: WorkerMessage) => void }, { beatMs, countRequests }: Pick<BootInfo, 'beatMs' | 'countRequests'>): void {
  let requests = 0
  let errors = 0
  if (countRequests) {
    for (const name of REQUEST_CHANNELS) subscribe(name, () => (requests += 1))
    subscribe('http.server.response.finish', (message) => {
      if ((message as { readonly response: ServerResponse }).response.statusCode >= 500) errors += 1
    })
  }
  const busy = busyMeter()
  const rss = residentMemory()
  setImmediate(() => setInterval(() => send({ type: 'beat', rss: rss(), heap: heapUse(), busy: busy(), requests, errors }), beatMs).unref())
}

/** Part of the time since the last call that the event loop was busy, 0 to 1. Not by the global `performance`: an app may have put another in its place. */
function busyMeter(): () => number {
  let last: EventLoopUtilization | undefined
  return () => {
    // Here and not before: it takes a millisecond to load.
    const { performance } = process.getBuiltinModule('node:perf_hooks')
    const now = performance.eventLoopUtilization()
    const { utilization } = last === undefined ? now : performance.eventLoopUtilization(now, last)
    last = now
    return Math.min(1, Math.max(0, Math.round(utilization * 100) / 100 || 0))
  }
}

/** Part of its limit, 0 to 1. */
function heapUse(): number {
  const { getHeapStatistics } = process.getBuiltinModule('node:v8') as { readonly getHeapStatistics: () => HeapStatistics }
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
  return Math.min(1, Math.round((used / limit) * 100) / 100)
}
