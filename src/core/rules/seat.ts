import { bootBudget, bootWishes } from '../boots.ts'
import { forEach, quiet } from '../compose.ts'
import { orderSeat } from '../orders.ts'
import { NO_SLOT } from '../types.ts'
import type { State, Step } from '../types.ts'

/** Who is missing in a slot is a spare of its generation, if one waits. */
export function seat(state: State, at: number): Step {
  if (!state.workers.some(({ phase }) => phase.name === 'spare')) return quiet(state)
  const due = bootWishes(state).filter(({ slot, notBefore }) => slot !== NO_SLOT && notBefore <= at)
  return forEach(state, due.slice(0, bootBudget(state)), (current, { slot, generation }) => {
    const spare = current.workers.find((worker) => worker.phase.name === 'spare' && worker.generation === generation)
    return spare === undefined ? quiet(current) : orderSeat(current, spare, slot, at)
  })
}
