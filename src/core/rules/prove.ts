import { forEach, quiet } from '../compose.ts'
import { trialMs } from '../failures.ts'
import { patchWorker } from '../workers.ts'
import type { State, Step, Worker } from '../types.ts'

/** Who has stayed ready for long enough is proven. The first proof of new code clears the record of all slots: what failed there was the old code. */
export function prove(state: State, at: number): Step {
  const due = state.workers.filter((worker) => isDue(worker, at - trialMs(state, worker)))
  return forEach(state, due, (current, worker) => quiet(markProven(current, worker)))
}

function isDue({ phase }: Worker, latest: number): boolean {
  return phase.name === 'ready' && !phase.proven && phase.since <= latest
}

function markProven(state: State, worker: Worker): State {
  if (worker.phase.name !== 'ready') return state
  const marked = patchWorker(state, worker.id, { phase: { ...worker.phase, proven: true } })
  const { reload } = marked
  if (reload?.direction !== 'forward' || reload.proven || worker.generation !== reload.to) return marked
  const slots = marked.slots.map((slot) => ({ ...slot, failures: 0, respawnAt: 0 }))
  return { ...marked, slots, reload: { ...reload, proven: true } }
}
