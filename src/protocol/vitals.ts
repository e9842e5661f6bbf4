/** What a worker says of itself once a second, and how both sides count durations. */

/** Of each report, in ms. */
export const VITALS_MS = 1000

/**
 * Upper bounds of the buckets of request durations, in seconds; one more bucket has all above.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#metric-httpserverrequestduration
 */
export const DURATION_BOUNDS_S: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** The same for garbage collection; those of prom-client. */
export const GC_BOUNDS_S: readonly number[] = [0.001, 0.01, 0.1, 1, 2, 5]

/** The methods that have a name of their own: those of RFC 9110, 5789 and 10008. Clients may send any word. */
export const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY'])

/** What stands for all other methods, and for all other status codes. */
export const OTHER = '_OTHER'

/** Pairs of method and status that one worker tells apart; the status of further ones is {@link OTHER}. */
export const SERIES_LIMIT = 64

/** Kinds of garbage collection, as prom-client calls them. */
export const GC_KINDS = ['minor', 'major', 'incremental', 'weakcb'] as const

export type GcKind = (typeof GC_KINDS)[number]

/** Durations of one kind since the last report. */
export interface DurationCounts {
  readonly sumMs: number
  /** By bucket, not cumulative. */
  readonly counts: readonly number[]
}

/** Requests of one method and status that were answered. */
export interface RequestCounts extends DurationCounts {
  readonly method: string
  /** Three digits, or {@link OTHER}. */
  readonly status: string
}

/** How late the event loop was within the last second, in ms. */
export interface LoopLag {
  readonly min: number
  readonly max: number
  readonly mean: number
  readonly stddev: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
}

/** In bytes, as `process.memoryUsage()` gives it. */
export interface MemoryUse {
  readonly rss: number
  readonly heapTotal: number
  readonly heapUsed: number
  readonly external: number
}

/** What a worker says of itself. */
export interface WorkerReport {
  /** Since the last report, or since the first turn of the measuring. */
  readonly tookMs: number
  /** CPU time since the process started, in microseconds. */
  readonly cpuUserUs: number
  readonly cpuSystemUs: number
  readonly memory: MemoryUse
  /** Part of the time that its event loop was busy, 0 to 1. */
  readonly busy: number
  /** Null when nothing was measured. */
  readonly lag: LoopLag | null
  /** Open connections. */
  readonly connections: number
  /** Requests that have begun and not ended. */
  readonly inFlight: number
  /** Requests whose connection or stream ended before the answer, since the last report. */
  readonly aborted: number
  readonly requests: readonly RequestCounts[]
  /** Durations of all requests in finer buckets: index and count in turns. See {@link latencyBucket}. */
  readonly latency: readonly number[]
  readonly gc: readonly (DurationCounts & { readonly kind: GcKind })[]
}

/** Parts of each power of two. The width of a bucket is at most an eighth of what it holds. */
const PARTS = 8
const PART_BITS = 3
/** All above 2^31 microseconds (36 minutes) is in the last one. */
const LONGEST_US = 2 ** 31 - 1

/** Number of the finer buckets. */
export const LATENCY_BUCKETS = latencyBucket(LONGEST_US / 1000) + 1

/** The finer bucket of a duration. @param ms 0 or more */
export function latencyBucket(ms: number): number {
  const us = Math.min(LONGEST_US, Math.floor(ms * 1000))
  if (us < PARTS) return us
  const power = 31 - Math.clz32(us)
  return (power - PART_BITS + 1) * PARTS + ((us >>> (power - PART_BITS)) & (PARTS - 1))
}

/** The middle of a finer bucket, in ms. */
export function latencyOf(bucket: number): number {
  if (bucket < PARTS) return (bucket + 0.5) / 1000
  const width = 2 ** (Math.floor(bucket / PARTS) - 1)
  return ((PARTS + (bucket % PARTS) + 0.5) * width) / 1000
}
