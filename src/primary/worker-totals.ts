/** What workers have said of themselves, as metrics: counters of a slot go on when its worker is replaced. */
import { plain, type MetricName } from '../metrics/catalogue.ts'
import { Counters, Histograms } from '../metrics/counts.ts'
import type { Family, Labels } from '../metrics/family.ts'
import type { WorkerId } from '../core/types.ts'
import type { ConnectionCounts } from '../protocol/messages.ts'
import { DURATION_BOUNDS_S, GC_BOUNDS_S, type LoopLag, type WorkerReport } from '../protocol/vitals.ts'
import type { Reporter } from './vitals.ts'

interface Last {
  readonly worker: Reporter
  readonly report: WorkerReport
}

/** Two workers may sit in one slot, while one takes the place of the other: what they hold is added, of the rest the newer one speaks. */
type Held = (report: WorkerReport) => number

export class WorkerTotals {
  readonly #last = new Map<WorkerId, Last>()
  readonly #counts = new Map<WorkerId, ConnectionCounts>()
  readonly #cpuUser = new Counters('process_cpu_user_seconds_total')
  readonly #cpuSystem = new Counters('process_cpu_system_seconds_total')
  readonly #cpu = new Counters('process_cpu_seconds_total')
  readonly #requests = new Counters('everycore_requests_total')
  readonly #aborted = new Counters('everycore_requests_aborted_total')
  readonly #durations = new Histograms('http_server_request_duration_seconds', DURATION_BOUNDS_S)
  readonly #collections = new Histograms('nodejs_gc_duration_seconds', GC_BOUNDS_S)
  readonly #accepted = new Counters('everycore_connections_accepted_total')
  readonly #dropped = new Counters('everycore_connections_dropped_total')
  readonly #handedOver = new Counters('everycore_hand_overs_total')
  readonly #moved = new Counters('everycore_migrations_total')

  reported(worker: Reporter, report: WorkerReport): void {
    const before = this.#last.get(worker.id)?.report
    this.#last.set(worker.id, { worker, report })
    const labels = slotLabels(worker.slot)
    const user = since(report.cpuUserUs, before?.cpuUserUs) / 1e6
    const system = since(report.cpuSystemUs, before?.cpuSystemUs) / 1e6
    this.#cpuUser.add(labels, user)
    this.#cpuSystem.add(labels, system)
    this.#cpu.add(labels, user + system)
    let answered = 0
    for (const { method, status, sumMs, counts } of report.requests) {
      this.#durations.add([['http_request_method', method], ['http_response_status_code', status]], sumMs / 1000, counts)
      for (const count of counts) answered += count
    }
    this.#requests.add(labels, answered)
    this.#aborted.add(labels, report.aborted)
    for (const { kind, sumMs, counts } of report.gc) this.#collections.add([...labels, ['kind', kind]], sumMs / 1000, counts)
  }

  counted(worker: Reporter, counts: ConnectionCounts): void {
    const before = this.#counts.get(worker.id)
    this.#counts.set(worker.id, counts)
    const labels = slotLabels(worker.slot)
    this.#accepted.add(labels, since(counts.accepted, before?.accepted))
    this.#dropped.add(labels, since(counts.dropped, before?.dropped))
    this.#moved.add(labels, since(counts.moved, before?.moved))
    for (const reason of ['surplus', 'full', 'owner'] as const) {
      this.#handedOver.add([...labels, ['reason', reason]], since(counts.handedOver[reason], before?.handedOver[reason]))
    }
  }

  gone(id: WorkerId): void {
    this.#last.delete(id)
    this.#counts.delete(id)
  }

  families(): readonly Family[] {
    const lasts = [...this.#last.values()].sort((a, b) => a.worker.slot - b.worker.slot || a.worker.id - b.worker.id)
    const newest = [...new Map(lasts.map((last) => [last.worker.slot, last])).values()]
    const sum = (name: MetricName, of: Held): Family => {
      const bySlot = new Map<number, number>()
      for (const { worker, report } of lasts) bySlot.set(worker.slot, (bySlot.get(worker.slot) ?? 0) + of(report))
      return plain(name, [...bySlot].map(([slot, value]) => [slotLabels(slot), value]))
    }
    const lag = (name: MetricName, of: keyof LoopLag): Family =>
      plain(name, newest.flatMap(({ worker, report }) => (report.lag === null ? [] : [[slotLabels(worker.slot), report.lag[of] / 1000] as const])))
    return [
      sum('everycore_connections', ({ connections }) => connections),
      ...[this.#accepted, this.#dropped, this.#handedOver, this.#moved, this.#requests, this.#aborted].map(({ family }) => family),
      sum('http_server_active_requests', ({ inFlight }) => inFlight),
      this.#durations.family,
      ...[this.#cpuUser, this.#cpuSystem, this.#cpu].map(({ family }) => family),
      sum('process_resident_memory_bytes', ({ memory }) => memory.rss),
      lag('nodejs_eventloop_lag_seconds', 'mean'),
      lag('nodejs_eventloop_lag_min_seconds', 'min'),
      lag('nodejs_eventloop_lag_max_seconds', 'max'),
      lag('nodejs_eventloop_lag_mean_seconds', 'mean'),
      lag('nodejs_eventloop_lag_stddev_seconds', 'stddev'),
      lag('nodejs_eventloop_lag_p50_seconds', 'p50'),
      lag('nodejs_eventloop_lag_p90_seconds', 'p90'),
      lag('nodejs_eventloop_lag_p99_seconds', 'p99'),
      plain('nodejs_eventloop_utilization_ratio', newest.map(({ worker, report }) => [slotLabels(worker.slot), report.busy])),
      sum('nodejs_heap_size_total_bytes', ({ memory }) => memory.heapTotal),
      sum('nodejs_heap_size_used_bytes', ({ memory }) => memory.heapUsed),
      sum('nodejs_external_memory_bytes', ({ memory }) => memory.external),
      this.#collections.family,
    ]
  }
}

/** By its slot, of which there are few, and not by its pid. */
export function slotLabels(slot: number): Labels {
  return [['worker', String(slot)]]
}

/** What has been added to a count. A worker may say anything; what it takes back counts nothing. */
function since(now: number, before = 0): number {
  return Math.max(0, now - before)
}
