import { wantedSlots } from './slots.ts'
import type { KillReason, RecycleReason, Reload, Restart, RetireReason, SlotIndex, State, SupervisorPhase, Worker, WorkerId, WorkerPhase } from './types.ts'

/** One worker as outsiders see it. Times are monotonic milliseconds. */
export interface WorkerView {
  readonly id: WorkerId
  /** -1: a spare, which has none yet. */
  readonly slot: SlotIndex
  readonly pid: number | undefined
  readonly phase: WorkerPhase['name']
  /** Why it drains or was killed, or which limit it has reached; undefined for one that is to go on. */
  readonly reason: RetireReason | KillReason | RecycleReason | undefined
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
  /** All workers leave, or have left, and those of that generation boot. */
  readonly restart: Pick<Restart, 'to'> | undefined
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
    restart: state.restart && { to: state.restart.to },
    workers: state.workers.map((worker) => ({
      id: worker.id,
      slot: worker.slot,
      pid: worker.pid,
      phase: worker.phase.name,
      reason: reasonOf(worker),
      generation: worker.generation,
      spawnedAt: worker.spawnedAt,
      readyAt: worker.readyAt,
      restarts: state.slots[worker.slot]?.restarts ?? 0,
    })),
    slots: wantedSlots(state).map(({ index, failures, restarts, respawnAt }) => ({ index, failures, restarts, respawnAt })),
  }
}

function reasonOf({ phase, worn }: Worker): WorkerView['reason'] {
  return phase.name === 'draining' || phase.name === 'killed' ? phase.reason : worn
}
