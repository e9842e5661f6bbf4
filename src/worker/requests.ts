/** Counts requests and how long they take, by method and status; the path of no request is looked at. */
import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { nowMs } from '../base/clock.ts'
import { DURATION_BOUNDS_S, LATENCY_BUCKETS, latencyBucket, METHODS, OTHER, SERIES_LIMIT, type RequestCounts } from '../protocol/vitals.ts'
import { Durations } from './durations.ts'
import { InFlight } from './in-flight.ts'

interface HttpMessage {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly socket: Socket
}

/** Of `node:http2`; Node 20 tells of none. */
interface Stream {
  readonly destroyed: boolean
  readonly rstCode: number
  readonly sentHeaders?: Readonly<Record<string, unknown>>
}

interface StreamMessage {
  readonly stream: Stream
  readonly headers?: Readonly<Record<string, unknown>>
}

interface Begun {
  readonly at: number
  readonly method: string
}

export interface RequestMeter {
  /** Requests that have begun and not ended. */
  readonly inFlight: () => number
  /** What has been counted since this was last called. */
  readonly take: () => { readonly aborted: number; readonly requests: readonly RequestCounts[]; readonly latency: readonly number[] }
}

/** Counts from now on. Requests that have begun before are not seen. */
export function countRequests(): RequestMeter {
  const responses = new InFlight()
  const streams = new Map<Stream, Begun>()
  const series = new Map<string, Map<number, Durations>>()
  const others = new Map<string, Durations>()
  const latency = new Uint32Array(LATENCY_BUCKETS)
  let kinds = 0
  /** Most requests are like the one before. */
  let last: { readonly method: string | undefined; readonly status: number; readonly durations: Durations } | undefined
  let aborted = 0

  const seriesOf = (method: string, status: number): Durations => {
    const known = series.get(method)?.get(status)
    if (known !== undefined) return known
    const durations = new Durations(DURATION_BOUNDS_S)
    if (kinds >= SERIES_LIMIT || !(status >= 100 && status <= 999)) {
      const other = others.get(method) ?? durations
      others.set(method, other)
      return other
    }
    kinds += 1
    const byStatus = series.get(method) ?? new Map<number, Durations>()
    series.set(method, byStatus.set(status, durations))
    return durations
  }
  const count = (method: string | undefined, status: number, ms: number): void => {
    if (last === undefined || last.method !== method || last.status !== status) {
      last = { method, status, durations: seriesOf(method !== undefined && METHODS.has(method) ? method : OTHER, status) }
    }
    last.durations.add(ms)
    const bucket = latencyBucket(ms)
    latency[bucket] = (latency[bucket] ?? 0) + 1
  }

  subscribe('http.server.request.start', (message) => {
    const { socket, response } = message as HttpMessage
    responses.begin(socket, response, nowMs())
  })
  subscribe('http.server.response.finish', (message) => {
    const { request, response, socket } = message as HttpMessage
    const at = responses.end(socket, response)
    if (at !== undefined) count(request.method, response.statusCode, nowMs() - at)
  })
  subscribe('http2.server.stream.start', (message) => {
    const { stream, headers } = message as StreamMessage
    streams.set(stream, { at: nowMs(), method: String(headers?.[':method']) })
  })
  subscribe('http2.server.stream.close', (message) => {
    const { stream } = message as StreamMessage
    const begun = streams.get(stream)
    if (begun === undefined) return
    streams.delete(stream)
    const status = stream.sentHeaders?.[':status']
    if (stream.rstCode !== 0 || status === undefined) aborted += 1
    else count(begun.method, Number(status), nowMs() - begun.at)
  })

  return {
    inFlight: () => responses.count + streams.size,
    take() {
      aborted += responses.sweep()
      const known = [...series].flatMap(([method, byStatus]) => [...byStatus].map(([status, durations]) => ({ method, status: String(status), durations })))
      const all = [...known, ...[...others].map(([method, durations]) => ({ method, status: OTHER, durations }))]
      const taken = {
        aborted,
        requests: all.filter(({ durations }) => !durations.isEmpty).map(({ method, status, durations }) => ({ method, status, ...durations.take() })),
        latency: [...latency.entries()].filter(([, counted]) => counted > 0).flat(),
      }
      aborted = 0
      latency.fill(0)
      return taken
    },
  }
}
