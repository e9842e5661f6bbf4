import { forEach, quiet } from '../compose.ts'
import { orderDrain } from '../orders.ts'
import { isStale, targetOf } from '../roll.ts'
import { isProven } from '../workers.ts'
import type { State, Step } from '../types.ts'

/** An old worker is drained when its replacement is proven, not before. */
export function swap(state: State, at: number): Step {
  const { reload } = state
  if (reload === undefined || state.stop !== undefined) return quiet(state)
  const target = targetOf(reload)
  const replaced = state.workers.filter(
    (old) => isStale(old, reload) && state.workers.some((heir) => heir.slot === old.slot && heir.generation === target && isProven(heir)),
  )
  const reason = reload.direction === 'forward' ? 'reload' : 'rollback'
  return forEach(state, replaced, (current, worker) => orderDrain(current, worker, reason, at))
}
