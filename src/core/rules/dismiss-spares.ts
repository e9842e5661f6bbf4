import { forEach, quiet } from '../compose.ts'
import { orderDrain } from '../orders.ts'
import { isLive, isSpare } from '../workers.ts'
import type { State, Step } from '../types.ts'

/** After a reload, spares of the old code are sent away. */
export function dismissSpares(state: State, at: number): Step {
  if (state.reload !== undefined || state.stop !== undefined) return quiet(state)
  const old = state.workers.filter((worker) => isSpare(worker) && isLive(worker) && worker.generation !== state.generation)
  return forEach(state, old, (current, worker) => orderDrain(current, worker, 'reload', at))
}
