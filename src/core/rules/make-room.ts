import { forEach, quiet } from '../compose.ts'
import { orderDrain, orderKill } from '../orders.ts'
import { isStale } from '../roll.ts'
import { isReady } from '../workers.ts'
import type { Reload, State, Step, Worker } from '../types.ts'

/**
 * A reload that began during a rollback finds slots with two workers, both to be replaced. One of
 * them goes at once, to make room for the replacement: the one that does not serve, or else the newer.
 */
export function makeRoom(state: State, at: number): Step {
  const { reload } = state
  if (reload === undefined || state.stop !== undefined) return quiet(state)
  const surplus = state.workers.filter((worker) => isSuperfluous(state, worker, reload))
  return forEach(state, surplus, (current, worker) =>
    isReady(worker) ? orderDrain(current, worker, 'rollback', at) : orderKill(current, worker, 'reload-aborted', at),
  )
}

function isSuperfluous(state: State, worker: Worker, reload: Reload): boolean {
  if (!isStale(worker, reload)) return false
  const rival = state.workers.find((other) => other.id !== worker.id && other.slot === worker.slot && isStale(other, reload))
  if (rival === undefined) return false
  if (isReady(worker) !== isReady(rival)) return !isReady(worker)
  return worker.generation > rival.generation
}
