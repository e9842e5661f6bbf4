/**
 * Measures this worker and tells the primary once a second. A file of its own beside the preload, loaded when the
 * worker is ready: `node:perf_hooks` takes a millisecond to load. The primary's half is `primary/vitals.ts`.
 */
import { monitorEventLoopDelay, performance, PerformanceObserver, type EventLoopUtilization, type IntervalHistogram, type PerformanceEntry } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { nowMs } from '../base/clock.ts'
import { residentMemory } from '../base/resident-memory.ts'
import { FAREWELL } from '../protocol/collected.ts'
import type { WorkerMessage } from '../protocol/messages.ts'
import { GC_BOUNDS_S, VITALS_MS, type GcKind, type LoopLag, type WorkerReport } from '../protocol/vitals.ts'
import { readDetails } from './details.ts'
import { Durations } from './durations.ts'
import { readRegistries, type MetricsRegistry } from './registries.ts'
import { countRequests } from './requests.ts'

/** How often the timer that is measured rings: what it is late for less than this is not seen. */
const RESOLUTION_MS = 20

/** A registry of the app that takes longer has counted in vain. */
const FAREWELL_MS = 200

export interface VitalsPorts {
  readonly send: (message: WorkerMessage) => void
  /** Open connections. */
  readonly connections: () => number
  /** Those that the app has named. */
  readonly registries: Iterable<MetricsRegistry>
}

export interface WorkerVitals {
  /** Answers a scrape. */
  readonly collect: (seq: number) => void
  /** Tells for the last time what a scrape would be told, if there ever was one. */
  readonly farewell: () => Promise<void>
}

/** Begins; ends with the process, with a last report. */
export function startVitals({ send, connections, registries }: VitalsPorts): WorkerVitals {
  const requests = countRequests()
  const rss = residentMemory()
  const collections = watchCollections()
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  let at = nowMs()
  let loop: EventLoopUtilization = performance.eventLoopUtilization()

  const report = (): WorkerReport => {
    const now = nowMs()
    const tookMs = now - at
    at = now
    const before = loop
    loop = performance.eventLoopUtilization()
    const { user, system } = process.cpuUsage()
    const { total_heap_size: heapTotal, used_heap_size: heapUsed, external_memory: external } = getHeapStatistics()
    const taken = requests.take()
    return {
      tookMs,
      cpuUserUs: user,
      cpuSystemUs: system,
      memory: { rss: rss(), heapTotal, heapUsed, external },
      busy: Math.min(1, Math.max(0, performance.eventLoopUtilization(loop, before).utilization)),
      lag: lagOf(delay),
      connections: Math.max(0, connections()),
      inFlight: requests.inFlight(),
      ...taken,
      gc: collections(),
    }
  }
  const tell = (): void => send({ type: 'vitals', ...report() })
  // The primary asks nobody whom it has not heard of.
  tell()
  setInterval(tell, VITALS_MS).unref()
  process.once('exit', tell)
  let isAsked = false
  const answer = async (seq: number): Promise<void> => send({ type: 'collected', seq, details: readDetails(), ...(await readRegistries(registries)) })
  return {
    collect(seq) {
      isAsked = true
      void answer(seq)
    },
    async farewell() {
      if (!isAsked) return
      let timer: NodeJS.Timeout | undefined
      const late = new Promise((resolve) => (timer = setTimeout(resolve, FAREWELL_MS)))
      await Promise.race([answer(FAREWELL), late])
      clearTimeout(timer)
    },
  }
}

const late = (nanoseconds: number): number => Math.max(0, Math.round(nanoseconds / 1e3 - RESOLUTION_MS * 1e3) / 1e3)

/** What the timer was late, and not the time between two of its rings. Begins anew. */
function lagOf(delay: IntervalHistogram): LoopLag | null {
  const lag =
    delay.count === 0
      ? null
      : {
          min: late(delay.min),
          max: late(delay.max),
          mean: late(delay.mean),
          stddev: Number.isNaN(delay.stddev) ? 0 : delay.stddev / 1e6,
          p50: late(delay.percentile(50)),
          p90: late(delay.percentile(90)),
          p99: late(delay.percentile(99)),
        }
  delay.reset()
  return lag
}

/** By the numbers of `perf_hooks.constants`; 2 is the mark-compact of the young generation. */
const KINDS: Readonly<Record<number, GcKind>> = { 1: 'minor', 2: 'minor', 4: 'major', 8: 'incremental', 16: 'weakcb' }

/** Returns how to take what has been counted since that was last done. */
function watchCollections(): () => WorkerReport['gc'] {
  const byKind = new Map<GcKind, Durations>()
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & { readonly detail?: { readonly kind?: number } })[]) {
      const kind = KINDS[entry.detail?.kind ?? 0]
      if (kind === undefined) continue
      const durations = byKind.get(kind) ?? new Durations(GC_BOUNDS_S)
      byKind.set(kind, durations)
      durations.add(entry.duration)
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => [...byKind].filter(([, durations]) => !durations.isEmpty).map(([kind, durations]) => ({ kind, ...durations.take() }))
}
