/** Counts requests and how long they take, by method and status; the path of no request is looked at. */
import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { nowMs } from '../base/clock.ts'
import { DURATION_BOUNDS_S, LATENCY_BUCKETS, latencyBucket, METHODS, OTHER, SERIES_LIMIT, type RequestCounts } from '../protocol/vitals.ts'
import { Durations } from './durations.ts'

interface HttpMessage {
  readonly request: IncomingMessage
  readonly response: ServerResponse
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
  const responses = new Map<ServerResponse, number>()
  const streams = new Map<Stream, Begun>()
  const series = new Map<string, Map<number, Durations>>()
  const others = new Map<string, Durations>()
  const latency = new Uint32Array(LATENCY_BUCKETS)
  let kinds = 0
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
    seriesOf(method !== undefined && METHODS.has(method) ? method : OTHER, status).add(ms)
    const bucket = latencyBucket(ms)
    latency[bucket] = (latency[bucket] ?? 0) + 1
  }

  subscribe('http.server.request.start', (message) => void responses.set((message as HttpMessage).response, nowMs()))
  subscribe('http.server.response.finish', (message) => {
    const { request, response } = message as HttpMessage
    const at = responses.get(response)
    if (at === undefined) return
    responses.delete(response)
    count(request.method, response.statusCode, nowMs() - at)
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

  /** Node tells of no response that never ends: those whose connection is gone are found here. */
  const sweep = (): void => {
    for (const response of responses.keys()) {
      if (!response.destroyed && !response.req.socket.destroyed) continue
      responses.delete(response)
      aborted += 1
    }
  }
  return {
    inFlight: () => responses.size + streams.size,
    take() {
      sweep()
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
