import { quiet } from '../compose.ts'
import { isHopeless } from '../hopeless.ts'
import type { Outcome, State, Step } from '../types.ts'

/** When no worker can be kept, everything ends. Those that still drain may finish what they have. A stop that was asked for waits no longer. */
export function giveUp(state: State, at: number): Step {
  if (state.phase === 'idle' || state.stop !== undefined || !isHopeless(state)) return quiet(state)
  if (state.stopDue !== undefined) return quiet(state.stopDue.at > at ? { ...state, stopDue: { at } } : state)
  const outcome: Outcome = {
    name: 'failed',
    everReady: state.everReady,
    last: state.lastFailure?.exit,
    why: state.lastFailure?.why ?? 'boot-failure',
  }
  return quiet({ ...state, stop: { how: 'graceful', outcome } })
}
