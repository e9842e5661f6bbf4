/** Follows what workers say of themselves, and tells when one is to be replaced. */
import { nowMs } from '../base/clock.ts'
import type { HealthSettings } from '../config/types.ts'
import type { RecycleReason, State, WorkerId } from '../core/types.ts'
import { FULL_HEAP, wearOf, type Vitals } from './wear.ts'

export interface WearReports {
  readonly worn: (id: WorkerId, why: RecycleReason, value: number) => void
  /** It must go at once. */
  readonly overweight: (id: WorkerId, rss: number) => void
}

export class WearWatch {
  readonly #limits: HealthSettings
  readonly #reports: WearReports
  readonly #fullBeats = new Map<WorkerId, number>()

  constructor(limits: HealthSettings, reports: WearReports) {
    this.#limits = limits
    this.#reports = reports
  }

  /** A worker has said how it is. */
  beat({ workers, size }: State, id: WorkerId, vitals: Vitals): void {
    const worker = workers.find((one) => one.id === id)
    if (worker === undefined) return
    const fullBeats = vitals.heap >= FULL_HEAP ? (this.#fullBeats.get(id) ?? 0) + 1 : 0
    this.#fullBeats.set(id, fullBeats)
    const ageMs = worker.readyAt === undefined ? 0 : nowMs() - worker.readyAt
    const { rss, heap, requests } = vitals
    const why = wearOf({ ...vitals, slot: worker.slot, ageMs, fullBeats }, this.#limits, size)
    if (why === 'kill') this.#reports.overweight(id, rss)
    else if (why !== undefined && worker.worn === undefined && worker.phase.name === 'ready') this.#reports.worn(id, why, { memory: rss, heap, requests, lifetime: ageMs }[why])
  }

  forget(id: WorkerId): void {
    this.#fullBeats.delete(id)
  }
}
