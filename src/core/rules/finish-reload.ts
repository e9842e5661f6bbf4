import { announce, quiet } from '../compose.ts'
import { turnOf } from '../roll.ts'
import type { State, Step } from '../types.ts'

/** A reload ends when every slot is settled. Forward that is the success; back it was answered when it turned. */
export function finishReload(state: State, at: number): Step {
  const { reload } = state
  if (reload === undefined || state.stop !== undefined || turnOf(state, reload) !== undefined) return quiet(state)
  if (reload.direction === 'back') return quiet({ ...state, reload: undefined })
  return {
    state: { ...state, reload: undefined, generation: reload.to },
    effects: [announce({ type: 'reload:finished', generation: reload.to, tookMs: at - reload.startedAt })],
  }
}
