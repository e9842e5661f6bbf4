import { wantedSlots } from './slots.ts'
import type { Reload, SlotIndex, State, SupervisorPhase, WorkerId, WorkerPhase } from './types.ts'

/** One worker as outsiders see it. Times are monotonic milliseconds. */
export interface WorkerView {
  readonly id: WorkerId
  /** -1: a spare, which has none yet. */
  readonly slot: SlotIndex
  readonly pid: number | undefined
  readonly phase: WorkerPhase['name']
  readonly generation: number
  readonly spawnedAt: number
  readonly readyAt: number | undefined
  /** Workers lost in its slot since start that nobody had asked to leave. */
  readonly restarts: number
}

/** One slot below size. */
export interface SlotView {
  readonly index: SlotIndex
  readonly failures: number
  readonly restarts: number
  /** When it may boot again; only of interest for an empty slot. */
  readonly respawnAt: number
}

/** What everybody outside the core may know: the command, the dashboard, the metrics. */
export interface Snapshot {
  readonly phase: SupervisorPhase
  readonly size: number
  readonly generation: number
  readonly reload: Pick<Reload, 'from' | 'to' | 'direction'> | undefined
  readonly workers: readonly WorkerView[]
  readonly slots: readonly SlotView[]
}

/** The read model of a state. */
export function snapshot(state: State): Snapshot {
  const { phase, size, generation, reload } = state
  return {
    phase,
    size,
    generation,
    reload: reload && { from: reload.from, to: reload.to, direction: reload.direction },
    workers: state.workers.map((worker) => ({
      id: worker.id,
      slot: worker.slot,
      pid: worker.pid,
      phase: worker.phase.name,
      generation: worker.generation,
      spawnedAt: worker.spawnedAt,
      readyAt: worker.readyAt,
      restarts: state.slots[worker.slot]?.restarts ?? 0,
    })),
    slots: wantedSlots(state).map(({ index, failures, restarts, respawnAt }) => ({ index, failures, restarts, respawnAt })),
  }
}
