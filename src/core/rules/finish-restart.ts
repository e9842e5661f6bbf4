import { announce, quiet } from '../compose.ts'
import { isEmptying } from '../restart.ts'
import { isServed, wantedSlots } from '../slots.ts'
import type { State, Step } from '../types.ts'

/** A restart ends when all slots are served again. */
export function finishRestart(state: State, at: number): Step {
  const { restart } = state
  if (restart === undefined || state.stop !== undefined) return quiet(state)
  if (isEmptying(state) || !wantedSlots(state).every(({ index }) => isServed(state, index))) return quiet(state)
  return {
    state: { ...state, restart: undefined },
    effects: [announce({ type: 'restart:finished', generation: restart.to, tookMs: at - restart.startedAt })],
  }
}
