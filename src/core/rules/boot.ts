import { bootBudget, bootWishes } from '../boots.ts'
import { forEach } from '../compose.ts'
import { orderSpawn } from '../orders.ts'
import type { State, Step } from '../types.ts'

/** Missing workers boot, as many at a time as allowed. */
export function boot(state: State, at: number): Step {
  const due = bootWishes(state).filter((wish) => wish.notBefore <= at)
  return forEach(state, due.slice(0, bootBudget(state)), (current, wish) => orderSpawn(current, wish.slot, wish.generation, at))
}
