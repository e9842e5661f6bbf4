import { forEach } from '../compose.ts'
import { orderKill } from '../orders.ts'
import type { KillReason, State, Step, Worker } from '../types.ts'

/** Who is not ready in time, or does not leave in time, is killed. */
export function deadlines(state: State, at: number): Step {
  return forEach(state, state.workers, (current, worker) => {
    const reason = overdue(worker, at)
    return reason === undefined ? { state: current, effects: [] } : orderKill(current, worker, reason, at)
  })
}

function overdue({ phase }: Worker, at: number): KillReason | undefined {
  if (phase.name === 'booting' && phase.deadline !== undefined && phase.deadline <= at) return 'ready-timeout'
  if (phase.name === 'draining' && phase.deadline <= at) return 'drain-timeout'
  return undefined
}
