/** What each worker uses and does now, by its own reports; for one that is silent, by the system. The worker's half is `worker/vitals.ts`. */
import { readFileSync } from 'node:fs'
import { nowMs } from '../base/clock.ts'
import type { WorkerId } from '../core/types.ts'
import type { Collected } from '../protocol/collected.ts'
import type { WorkerFigures } from '../protocol/control.ts'
import type { ConnectionCounts } from '../protocol/messages.ts'
import { LATENCY_BUCKETS, latencyOf, VITALS_MS, type WorkerReport } from '../protocol/vitals.ts'

/** Which worker a report is from. */
export interface Reporter {
  readonly id: WorkerId
  readonly pid: number
  readonly slot: number
}

/** A worker that can be asked. */
export interface Reporting extends Reporter {
  readonly exited: boolean
  /** Asks it for its metrics. */
  readonly collect: (seq: number) => void
}

/** Told of all that workers say of themselves. */
export interface VitalsObserver {
  readonly reported: (worker: Reporter, report: WorkerReport) => void
  readonly counted: (worker: Reporter, counts: ConnectionCounts) => void
  readonly collected: (worker: Reporter, collected: Collected) => void
  /** It says nothing more. */
  readonly gone: (id: WorkerId) => void
}

interface Known {
  readonly report: WorkerReport
  readonly at: number
  readonly cpu: number | null
  /** Durations of requests; older ones count for less. */
  readonly latency: Float64Array
}

/** CPU time that the system counts, in microseconds, and resident bytes. */
export interface ProcessUse {
  readonly cpuUs: number
  readonly rss: number
}

export interface VitalsOptions {
  /** Default: there are none to be asked. */
  readonly workers?: () => Iterable<Reporting>
  /** Default: monotonic milliseconds. */
  readonly clock?: () => number
  /** Default: from `/proc`. Undefined where the system does not tell. */
  readonly readProcess?: (pid: number) => ProcessUse | undefined
}

/** After which a worker counts as silent: its event loop stands still, or the machine is very busy. */
const SILENT_MS = 2.5 * VITALS_MS
/** What remains of the weight of a request after a second. So that a percentile rests on more than a few. */
const MEMORY = 0.8
/** No rate follows from less time. */
const LEAST_MS = VITALS_MS / 10
/** Less than a request: too little to tell anything. */
const LEAST = 0.5

export class Vitals {
  readonly #clock: () => number
  readonly #readProcess: (pid: number) => ProcessUse | undefined
  readonly #known = new Map<WorkerId, Known>()
  readonly #pids = new Map<WorkerId, number>()
  readonly #workers: () => Iterable<Reporting>
  observer: VitalsObserver | undefined

  constructor({ clock = nowMs, readProcess = processUse, workers = () => [] }: VitalsOptions = {}) {
    this.#clock = clock
    this.#workers = workers
    this.#readProcess = readProcess
  }

  take(worker: Reporter, report: WorkerReport): void {
    const { id, pid } = worker
    const at = this.#clock()
    const before = this.#known.get(id)
    const latency = before?.latency ?? new Float64Array(LATENCY_BUCKETS)
    for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket += 1) latency[bucket] = (latency[bucket] ?? 0) * MEMORY
    for (let index = 0; index < report.latency.length; index += 2) {
      const bucket = report.latency[index] ?? 0
      latency[bucket] = (latency[bucket] ?? 0) + (report.latency[index + 1] ?? 0)
    }
    const cpu = before === undefined ? null : part(cpuOf(report) - cpuOf(before.report), report.tookMs)
    this.#known.set(id, { report, at, cpu, latency })
    this.#pids.set(id, pid)
    this.observer?.reported(worker, report)
  }

  /** What a worker says of its connections. */
  takeLoad(worker: Reporter, counts: ConnectionCounts): void {
    this.observer?.counted(worker, counts)
  }

  /** What a worker answers. */
  takeCollected(worker: Reporter, collected: Collected): void {
    this.observer?.collected(worker, collected)
  }

  /** Workers that measure themselves. */
  get reporting(): readonly Reporting[] {
    return [...this.#workers()].filter(({ id, exited }) => !exited && this.#known.has(id))
  }

  /** Since a worker was heard of, in ms. */
  ageOf(id: WorkerId): number | undefined {
    const known = this.#known.get(id)
    return known === undefined ? undefined : this.#clock() - known.at
  }

  /** Undefined when the worker has told nothing yet. */
  of(id: WorkerId): WorkerFigures | undefined {
    const known = this.#known.get(id)
    if (known === undefined) return undefined
    if (this.#clock() - known.at > SILENT_MS) return this.#ofSilent(id, known)
    const { report, cpu, latency } = known
    const answered = report.requests.reduce((sum, { counts }) => sum + counts.reduce((total, count) => total + count, 0), 0)
    return {
      cpu,
      rssBytes: report.memory.rss,
      heapUsedBytes: report.memory.heapUsed,
      loopUtilization: report.tookMs >= LEAST_MS ? report.busy : null,
      loopLagP99Ms: report.lag?.p99 ?? null,
      requestsPerSecond: report.tookMs >= LEAST_MS ? (answered / report.tookMs) * 1000 : null,
      p50Ms: percentile(latency, 0.5),
      p99Ms: percentile(latency, 0.99),
      inFlight: report.inFlight,
      connections: report.connections,
    }
  }

  /** The worker is gone. */
  forget(id: WorkerId): void {
    this.#known.delete(id)
    this.#pids.delete(id)
    this.observer?.gone(id)
  }

  /** Its event loop is the one thing that is known to be busy. */
  #ofSilent(id: WorkerId, { report, at }: Known): WorkerFigures {
    const used = this.#readProcess(this.#pids.get(id) ?? -1)
    return {
      cpu: used === undefined ? null : part(used.cpuUs - cpuOf(report), this.#clock() - at),
      rssBytes: used?.rss ?? null,
      heapUsedBytes: null,
      loopUtilization: null,
      loopLagP99Ms: null,
      requestsPerSecond: null,
      p50Ms: null,
      p99Ms: null,
      inFlight: null,
      connections: null,
    }
  }
}

const cpuOf = ({ cpuUserUs, cpuSystemUs }: WorkerReport): number => cpuUserUs + cpuSystemUs

function part(cpuUs: number, tookMs: number): number | null {
  return tookMs >= LEAST_MS ? Math.max(0, cpuUs / 1000 / tookMs) : null
}

function percentile(latency: Float64Array, quantile: number): number | null {
  const all = latency.reduce((sum, weight) => sum + weight, 0)
  if (all < LEAST) return null
  let reached = 0
  for (const [bucket, weight] of latency.entries()) {
    reached += weight
    if (weight > 0 && reached >= quantile * all) return latencyOf(bucket)
  }
  return null
}

/** USER_HZ, which is 100 on every architecture that Node runs on. */
const TICKS = 100

/** @see proc_pid_stat(5), proc_pid_status(5) */
function processUse(pid: number): ProcessUse | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold anything. The third field follows.
    const [user = Number.NaN, system = Number.NaN] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13).map(Number)
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return { cpuUs: ((user + system) / TICKS) * 1e6, rss: Number(kilobytes) * 1024 }
  } catch {
    return undefined
  }
}
