import { forEach } from '../compose.ts'
import { orderDrain, orderKill } from '../orders.ts'
import type { State, Step } from '../types.ts'

/** Who asked to leave is drained; who broke the protocol, hangs or takes too much memory is killed. */
export function dues(state: State, at: number): Step {
  const due = state.workers.filter((worker) => worker.due !== undefined)
  return forEach(state, due, (current, worker) =>
    worker.due === undefined || worker.due === 'retire' ? orderDrain(current, worker, 'request', at) : orderKill(current, worker, worker.due, at),
  )
}
