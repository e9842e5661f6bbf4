import { forEach, quiet } from '../compose.ts'
import { orderDrain } from '../orders.ts'
import { isReady } from '../workers.ts'
import type { State, Step, Worker } from '../types.ts'

/** A worker that has reached a limit is drained when its replacement is ready, not before. */
export function renew(state: State, at: number): Step {
  if (state.stop !== undefined || state.reload !== undefined) return quiet(state)
  const replaced = state.workers.filter((worker) => isReady(worker) && worker.worn !== undefined && hasHeir(state, worker))
  return forEach(state, replaced, (current, worker) => orderDrain(current, worker, 'recycle', at))
}

function hasHeir(state: State, worker: Worker): boolean {
  return state.workers.some((other) => other.id !== worker.id && other.slot === worker.slot && other.worn === undefined && isReady(other))
}
