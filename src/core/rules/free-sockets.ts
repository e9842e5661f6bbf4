import { quiet } from '../compose.ts'
import { isServed, wantedSlots } from '../slots.ts'
import type { State, Step } from '../types.ts'

/**
 * A socket that no worker uses is kept while somebody may come back for it: while a slot is without a
 * worker that serves, or a reload is under way. After that it is given up: connections would wait in it
 * for ever.
 */
export function freeSockets(state: State): Step {
  if (!state.socketsInDoubt || state.stop !== undefined || state.reload !== undefined) return quiet(state)
  if (!wantedSlots(state).every((slot) => isServed(state, slot.index))) return quiet(state)
  return { state: { ...state, socketsInDoubt: false }, effects: [{ type: 'releaseUnusedSockets' }] }
}
