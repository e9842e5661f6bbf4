/** Reads what a worker says of itself. It may say anything: what is out of range makes the whole message none. */
import { DURATION_BOUNDS_S, GC_BOUNDS_S, GC_KINDS, LATENCY_BUCKETS, METHODS, OTHER, SERIES_LIMIT, type DurationCounts, type GcKind, type LoopLag, type MemoryUse, type RequestCounts, type WorkerReport } from './vitals.ts'

type Fields = Readonly<Record<string, unknown>>

/** Nothing that a worker measures within a report is larger. So that no sum loses its precision, even after years. */
const MOST = 2 ** 43
/** The last pair of a method may share its name with others. */
const MOST_SERIES = SERIES_LIMIT + METHODS.size + 1

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
const isAmount = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= MOST
const isCount = (value: unknown): value is number => isAmount(value) && Number.isInteger(value)

/** Undefined when it is not what a worker of everycore sends. */
export function readReport(value: Fields): WorkerReport | undefined {
  const { tookMs, cpuUserUs, cpuSystemUs, busy, connections, inFlight, aborted } = value
  const memory = readMemory(value['memory'])
  const lag = value['lag'] === null ? null : readLag(value['lag'])
  const requests = readList(value['requests'], MOST_SERIES, readRequests)
  const gc = readList(value['gc'], GC_KINDS.length, readGc)
  const latency = readLatency(value['latency'])
  if (!isAmount(tookMs) || !isCount(cpuUserUs) || !isCount(cpuSystemUs) || !isAmount(busy) || busy > 1) return undefined
  if (!isCount(connections) || !isCount(inFlight) || !isCount(aborted)) return undefined
  if (memory === undefined || lag === undefined || requests === undefined || gc === undefined || latency === undefined) return undefined
  return { tookMs, cpuUserUs, cpuSystemUs, memory, busy, lag, connections, inFlight, aborted, requests, latency, gc }
}

function readMemory(value: unknown): MemoryUse | undefined {
  if (!isFields(value)) return undefined
  const { rss, heapTotal, heapUsed, external } = value
  return isCount(rss) && isCount(heapTotal) && isCount(heapUsed) && isCount(external) ? { rss, heapTotal, heapUsed, external } : undefined
}

function readLag(value: unknown): LoopLag | undefined {
  if (!isFields(value)) return undefined
  const { min, max, mean, stddev, p50, p90, p99 } = value
  if (!isAmount(min) || !isAmount(max) || !isAmount(mean) || !isAmount(stddev)) return undefined
  return isAmount(p50) && isAmount(p90) && isAmount(p99) ? { min, max, mean, stddev, p50, p90, p99 } : undefined
}

function readList<T>(value: unknown, limit: number, readOne: (fields: Fields) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(value) || value.length > limit) return undefined
  const read = value.map((one: unknown) => (isFields(one) ? readOne(one) : undefined))
  return read.some((one) => one === undefined) ? undefined : (read as readonly T[])
}

function readRequests(value: Fields): RequestCounts | undefined {
  const { method, status } = value
  const durations = readDurations(value, DURATION_BOUNDS_S.length + 1)
  if (durations === undefined || typeof method !== 'string' || typeof status !== 'string') return undefined
  if (method !== OTHER && !METHODS.has(method)) return undefined
  return status === OTHER || /^[1-9]\d\d$/.test(status) ? { method, status, ...durations } : undefined
}

function readGc(value: Fields): (DurationCounts & { readonly kind: GcKind }) | undefined {
  const kind = GC_KINDS.find((one) => one === value['kind'])
  const durations = readDurations(value, GC_BOUNDS_S.length + 1)
  return durations === undefined || kind === undefined ? undefined : { kind, ...durations }
}

function readDurations({ sumMs, counts }: Fields, length: number): DurationCounts | undefined {
  return isAmount(sumMs) && Array.isArray(counts) && counts.length === length && counts.every(isCount) ? { sumMs, counts } : undefined
}

function readLatency(value: unknown): readonly number[] | undefined {
  if (!Array.isArray(value) || value.length > 2 * LATENCY_BUCKETS || value.length % 2 !== 0) return undefined
  return value.every((one, index) => isCount(one) && (index % 2 === 1 || one < LATENCY_BUCKETS)) ? value : undefined
}
