import { announce, quiet } from '../compose.ts'
import { barsOthers } from '../restart.ts'
import { isReady } from '../workers.ts'
import type { State, Step } from '../types.ts'

/**
 * Begins the reload that was asked for, as soon as none is under way. One that turns back has been
 * answered already and gives way, so that a rollback that cannot succeed does not bar the cure; so does a restart whose code fails.
 */
export function beginReload(state: State, at: number): Step {
  if (!state.reloadQueued || !mayBegin(state)) return quiet(state)
  const from = state.generation
  const to = state.lastGeneration + 1
  const reload = { from, to, startedAt: at, direction: 'forward', failure: undefined, proven: false, crashes: 0 } as const
  return {
    state: { ...state, lastGeneration: to, reloadQueued: false, reload, restart: undefined },
    effects: [announce({ type: 'reload:started', from, to })],
  }
}

function mayBegin(state: State): boolean {
  if (state.stop !== undefined || state.stopDue !== undefined || barsOthers(state) || state.reload?.direction === 'forward' || drainingGenerations(state) >= state.settings.maxDraining) return false
  if (state.phase === 'running' || state.phase === 'degraded') return true
  return state.phase === 'starting' && state.workers.some(isReady)
}

/** Each holds memory and connections until it has left. */
function drainingGenerations({ workers }: State): number {
  return new Set(workers.flatMap(({ phase, generation }) => (phase.name === 'draining' ? [generation] : []))).size
}
