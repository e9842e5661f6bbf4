import { forEach, quiet } from '../compose.ts'
import { orderDrain } from '../orders.ts'
import { isLive } from '../workers.ts'
import type { State, Step } from '../types.ts'

/** Workers in slots from `size` on are drained. */
export function shrink(state: State, at: number): Step {
  if (state.stop !== undefined) return quiet(state)
  const surplus = state.workers.filter((worker) => worker.slot >= state.size && isLive(worker))
  return forEach(state, surplus, (current, worker) => orderDrain(current, worker, 'scale', at))
}
