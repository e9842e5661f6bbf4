/**
 * The three orders about a worker. Each changes the state and tells the shell, so that the two
 * cannot disagree. The shell keeps an order for a process that does not exist yet until it does.
 */
import { announce, quiet } from './compose.ts'
import { patchSlot } from './slots.ts'
import { isLive, patchWorker } from './workers.ts'
import type { KillReason, RetireReason, SlotIndex, State, Step, Worker } from './types.ts'

/** Of a worker that was meant to serve. */
const IS_FAILURE: Readonly<Record<KillReason, boolean>> = {
  'ready-timeout': true,
  violation: true,
  stalled: true,
  memory: true,
  'drain-timeout': false,
  'stop-now': false,
  'reload-aborted': false,
}

/** Boots a new worker in a slot. */
export function orderSpawn(state: State, slot: SlotIndex, generation: number, at: number): Step {
  const id = state.nextWorkerId
  const worker: Worker = {
    id,
    slot,
    generation,
    pid: undefined,
    spawnedAt: at,
    readyAt: undefined,
    phase: { name: 'booting', deadline: readyDeadline(state, at) },
    due: undefined,
    worn: undefined,
  }
  return {
    state: { ...state, nextWorkerId: id + 1, workers: [...state.workers, worker] },
    effects: [{ type: 'spawnWorker', id, slot, generation }],
  }
}

/** When a worker that was started at `startedAt` must be ready; undefined without a limit. */
export function readyDeadline(state: State, startedAt: number): number | undefined {
  const { readyTimeoutMs } = state.settings
  return readyTimeoutMs > 0 ? startedAt + readyTimeoutMs : undefined
}

/** Gives a slot to a spare. The time to be ready counts from here. */
export function orderSeat(state: State, worker: Worker, slot: SlotIndex, at: number): Step {
  return {
    state: patchWorker(state, worker.id, { slot, spawnedAt: at, phase: { name: 'booting', deadline: readyDeadline(state, at) } }),
    effects: [{ type: 'seatWorker', id: worker.id, slot }],
  }
}

/** Asks a worker to finish what it has and leave. Nothing to do for one that leaves already. */
export function orderDrain(state: State, worker: Worker, reason: RetireReason, at: number): Step {
  if (!isLive(worker)) return quiet(state)
  const timeoutMs = state.settings.drainTimeoutMs
  const drained = patchWorker(state, worker.id, { phase: { name: 'draining', deadline: at + timeoutMs, reason, accepts: worker.phase.name === 'ready' }, due: undefined })
  const { phase } = worker
  const stable = phase.name === 'ready' && at - phase.since >= state.settings.stableMs
  return {
    state: { ...(stable ? patchSlot(drained, worker.slot, { failures: 0 }) : drained), socketsInDoubt: true },
    effects: [
      announce({ type: 'worker:draining', id: worker.id, slot: worker.slot, reason }),
      { type: 'drainWorker', id: worker.id, timeoutMs, reason },
    ],
  }
}

/** Ends a worker. Nothing to do for one that was killed before. */
export function orderKill(state: State, worker: Worker, reason: KillReason, at: number): Step {
  if (worker.phase.name === 'killed') return quiet(state)
  const counts = isLive(worker) && IS_FAILURE[reason]
  return {
    state: patchWorker(state, worker.id, { phase: { name: 'killed', since: at, reason, counts, was: worker.phase.name }, due: undefined }),
    effects: [{ type: 'killWorker', id: worker.id, reason }],
  }
}
