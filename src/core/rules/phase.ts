import { announce, quiet } from '../compose.ts'
import { isServed, wantedSlots } from '../slots.ts'
import type { Effect, State, Step, SupervisorPhase } from '../types.ts'

/** Names what the service is like, and tells it when it changes. */
export function phase(state: State, at: number): Step {
  const now = phaseOf(state)
  if (now === state.phase) return quiet(state)
  const first = now === 'running' && !state.everRunning
  const effects: Effect[] = [announce({ type: 'primary:phase', phase: now })]
  if (first) effects.push(announce({ type: 'primary:started', size: state.size, tookMs: at - (state.startedAt ?? at) }))
  return { state: { ...state, phase: now, everRunning: state.everRunning || first }, effects }
}

function phaseOf(state: State): SupervisorPhase {
  if (state.phase === 'idle' || state.stop !== undefined || state.stopDue !== undefined) return state.phase
  const missing = wantedSlots(state).filter((slot) => !isServed(state, slot.index))
  if (missing.length === 0) return 'running'
  // A start, a scale-up or a worker that left by its own wish is no defect: only a failure degrades.
  if (state.everReady && missing.some((slot) => slot.failed)) return 'degraded'
  return state.everRunning ? 'running' : 'starting'
}
