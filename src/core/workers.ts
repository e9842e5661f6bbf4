import { NO_SLOT } from './types.ts'
import type { SlotIndex, State, Worker, WorkerId } from './types.ts'

/** Is meant to serve, now or later, and not told to leave. */
export function isLive(worker: Worker): boolean {
  return worker.phase.name === 'booting' || worker.phase.name === 'ready' || worker.phase.name === 'spare'
}

/** Has no slot. */
export function isSpare(worker: Worker): boolean {
  return worker.slot === NO_SLOT
}

/** Is ready and not told to leave. */
export function isReady(worker: Worker): boolean {
  return worker.phase.name === 'ready'
}

/** Is ready and has stayed so for `provenMs`. */
export function isProven(worker: Worker): boolean {
  return worker.phase.name === 'ready' && worker.phase.proven
}

/** Was killed for a failure of its own and is not yet gone: the slot waits for the exit, because only the exit tells the back-off. */
export function isDying(worker: Worker): boolean {
  return worker.phase.name === 'killed' && worker.phase.counts
}

/** Keeps the slot from being filled. A worker that drains does not. */
export function occupies(worker: Worker): boolean {
  return isLive(worker) || isDying(worker)
}

/** The workers of a slot that are meant to serve. */
export function liveIn(state: State, slot: SlotIndex): readonly Worker[] {
  return state.workers.filter((worker) => worker.slot === slot && isLive(worker))
}

/** Undefined for a worker that is gone or never was. */
export function findWorker(state: State, id: WorkerId): Worker | undefined {
  return state.workers.find((worker) => worker.id === id)
}

/** Replaces some fields of one worker. */
export function patchWorker(state: State, id: WorkerId, patch: Partial<Worker>): State {
  return { ...state, workers: state.workers.map((worker) => (worker.id === id ? { ...worker, ...patch } : worker)) }
}

/** Forgets a worker. */
export function withoutWorker(state: State, id: WorkerId): State {
  return { ...state, workers: state.workers.filter((worker) => worker.id !== id) }
}
