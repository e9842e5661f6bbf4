import { announce, forEach, quiet } from '../compose.ts'
import { orderDrain } from '../orders.ts'
import { barsOthers } from '../restart.ts'
import { isReady } from '../workers.ts'
import type { Effect, State, Step } from '../types.ts'

/**
 * Begins the restart that was asked for, when no reload is under way: all workers leave, and what comes is new code. There
 * is no way back, so the record of the slots begins anew. A reload that turns back has been answered, and gives way.
 */
export function beginRestart(state: State, at: number): Step {
  if (!state.restartQueued || !mayBegin(state)) return quiet(state)
  const to = state.lastGeneration + 1
  const slots = state.slots.map((slot) => ({ ...slot, failures: 0, failed: false, respawnAt: 0 }))
  const begun: State = { ...state, slots, generation: to, lastGeneration: to, reload: undefined, restartQueued: false, restart: { to, startedAt: at } }
  const told: Effect = announce({ type: 'restart:started', from: state.generation, to })
  const sent = forEach(begun, begun.workers, (current, worker) => orderDrain(current, worker, 'restart', at))
  return { state: sent.state, effects: [told, ...sent.effects] }
}

function mayBegin(state: State): boolean {
  const { phase, stop, stopDue, reload, workers } = state
  if (stop !== undefined || stopDue !== undefined || barsOthers(state) || reload?.direction === 'forward') return false
  return phase === 'running' || phase === 'degraded' || (phase === 'starting' && workers.some(isReady))
}
