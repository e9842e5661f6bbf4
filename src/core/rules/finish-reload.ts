import { announce, quiet } from '../compose.ts'
import { turnOf } from '../roll.ts'
import type { State, Step } from '../types.ts'

/**
 * A reload ends when every slot is settled. Forward that is the success, told when no old worker takes connections any more, so
 * that nobody who connects after it meets old code; back it was answered when it turned.
 */
export function finishReload(state: State, at: number): Step {
  const { reload } = state
  if (reload === undefined || state.stop !== undefined || turnOf(state, reload) !== undefined) return quiet(state)
  if (reload.direction === 'back') return quiet({ ...state, reload: undefined })
  if (state.workers.some(({ generation, phase }) => generation !== reload.to && phase.name === 'draining' && phase.accepts)) return quiet(state)
  return {
    state: { ...state, reload: undefined, generation: reload.to },
    effects: [announce({ type: 'reload:finished', generation: reload.to, tookMs: at - reload.startedAt })],
  }
}
