import { announce, quiet } from '../compose.ts'
import type { State, Step } from '../types.ts'

/** When the last worker is gone, the stop is complete. */
export function finish(state: State): Step {
  const { stop } = state
  if (stop === undefined || state.phase !== 'stopping' || state.workers.length > 0) return quiet(state)
  return {
    state: { ...state, phase: 'stopped' },
    effects: [
      announce({ type: 'primary:phase', phase: 'stopped' }),
      announce({ type: 'primary:stopped', outcome: stop.outcome }),
      { type: 'finish', outcome: stop.outcome },
    ],
  }
}
