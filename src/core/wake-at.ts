import { bootBudget, bootWishes } from './boots.ts'
import { trialMs } from './failures.ts'
import { targetOf } from './roll.ts'
import type { State, Worker } from './types.ts'

/**
 * When the shell must send `timePassed` at the latest: the one timer of the supervisor. Undefined
 * when nothing but events can change anything. Never before `now`. A `timePassed` at this time
 * always does something, and a late one does the same.
 */
export function wakeAt(state: State, now: number): number | undefined {
  const times = [...state.workers.flatMap((worker) => workerTimes(state, worker)), ...bootTimes(state)]
  return times.length === 0 ? undefined : Math.max(now, Math.min(...times))
}

function workerTimes(state: State, worker: Worker): readonly number[] {
  const { phase } = worker
  if (phase.name === 'booting') return phase.deadline === undefined ? [] : [phase.deadline]
  if (phase.name === 'draining') return [phase.deadline]
  if (phase.name === 'ready' && !phase.proven && isOnTrial(state, worker)) return [phase.since + trialMs(state, worker)]
  return []
}

/** A reload waits for its proof. */
function isOnTrial(state: State, worker: Worker): boolean {
  return state.reload !== undefined && worker.generation === targetOf(state.reload)
}

/** A boot that waits for its back-off; one that waits for a place needs no timer, an event will give it. */
function bootTimes(state: State): readonly number[] {
  return bootBudget(state) === 0 ? [] : bootWishes(state).map((wish) => wish.notBefore)
}
