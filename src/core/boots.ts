/** Which workers should boot, and not before when. The boot rule and the timer read the same list. */
import { isOccupied, isServed, slotAt, wantedSlots } from './slots.ts'
import { isStale, isSurging, targetOf, turnOf } from './roll.ts'
import { isDying, isReady, liveIn } from './workers.ts'
import type { Reload, SlotIndex, State } from './types.ts'

/** A worker that is missing. */
export interface BootWish {
  readonly slot: SlotIndex
  readonly generation: number
  readonly notBefore: number
}

/** How many more workers may boot now. */
export function bootBudget(state: State): number {
  const booting = state.workers.filter((worker) => worker.phase.name === 'booting').length
  return Math.max(0, state.settings.bootParallel - booting)
}

/** All missing workers: empty slots in order, then the replacement of a reload, or of a worker that has reached a limit. */
export function bootWishes(state: State): readonly BootWish[] {
  if (!mayBoot(state)) return []
  const fills = wantedSlots(state)
    .filter((slot) => !isOccupied(state, slot.index))
    .map((slot) => fillOf(state, slot.index))
  const replacement = state.reload === undefined ? renewalOf(state) : replacementOf(state, state.reload)
  return replacement === undefined ? fills : [...fills, replacement]
}

/** Not before the start, not after the stop, and not when the first boots show that the code cannot boot. */
function mayBoot(state: State): boolean {
  if (state.phase === 'idle' || state.stop !== undefined) return false
  return state.everReady || !state.bootFailed
}

function fillOf(state: State, slot: SlotIndex): BootWish {
  const { reload } = state
  const notBefore = slotAt(state, slot).respawnAt
  if (reload === undefined) return { slot, generation: state.generation, notBefore }
  if (reload.direction === 'back') return { slot, generation: reload.from, notBefore }
  if (reload.proven) return { slot, generation: reload.to, notBefore }
  return slot === turnOf(state, reload) ? tryOut(slot, reload) : { slot, generation: reload.from, notBefore }
}

/** One at a time, and only while all slots are served: what is worn still serves. */
function renewalOf(state: State): BootWish | undefined {
  if (isSurging(state) || !wantedSlots(state).every(({ index }) => isServed(state, index))) return undefined
  if (state.workers.some(({ phase }) => phase.name === 'draining' && phase.reason === 'recycle')) return undefined
  const worn = state.workers.find((worker) => worker.worn !== undefined && worker.slot < state.size && isReady(worker))
  return worn && { slot: worn.slot, generation: state.generation, notBefore: slotAt(state, worn.slot).respawnAt }
}

function replacementOf(state: State, reload: Reload): BootWish | undefined {
  if (isSurging(state)) return undefined
  const slot = turnOf(state, reload)
  if (slot === undefined || !isReplaceable(state, slot, reload)) return undefined
  if (reload.direction === 'forward' && !reload.proven) return tryOut(slot, reload)
  return { slot, generation: targetOf(reload), notBefore: slotAt(state, slot).respawnAt }
}

/** It has an old worker and awaits the exit of none. */
function isReplaceable(state: State, slot: SlotIndex, reload: Reload): boolean {
  if (state.workers.some((worker) => worker.slot === slot && isDying(worker))) return false
  return liveIn(state, slot).some((worker) => isStale(worker, reload))
}

/** The first worker of new code does not pay for the failures of the old: it may be the cure. */
function tryOut(slot: SlotIndex, reload: Reload): BootWish {
  return { slot, generation: reload.to, notBefore: Number.NEGATIVE_INFINITY }
}
