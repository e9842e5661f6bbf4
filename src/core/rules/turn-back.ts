import { announce, forEach, quiet } from '../compose.ts'
import { orderDrain, orderKill } from '../orders.ts'
import { isReady, liveIn } from '../workers.ts'
import type { Reload, State, Step, Worker } from '../types.ts'

/**
 * A reload that failed is answered at once and turns back. Unproven workers of the new generation
 * go, but for one that serves alone in its slot: that one stays until an old one has taken over.
 */
export function turnBack(state: State, at: number): Step {
  const { reload } = state
  if (reload?.direction !== 'forward' || reload.failure === undefined) return quiet(state)
  const turned: State = { ...state, reload: { ...reload, direction: 'back' } }
  const answer = announce({ type: 'reload:aborted', generation: reload.from, failure: reload.failure })
  const fresh = state.workers.filter((worker) => worker.generation === reload.to)
  const cleared = forEach(turned, fresh, (current, worker) => withdraw(current, worker, reload, at))
  return { state: cleared.state, effects: [answer, ...cleared.effects] }
}

function withdraw(state: State, worker: Worker, reload: Reload, at: number): Step {
  if (worker.phase.name === 'booting') return orderKill(state, worker, 'reload-aborted', at)
  const hasHeir = liveIn(state, worker.slot).some((other) => other.generation === reload.from && isReady(other))
  return hasHeir ? orderDrain(state, worker, 'rollback', at) : quiet(state)
}
