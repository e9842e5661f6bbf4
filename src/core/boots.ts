/** Which workers should boot, and not before when. The boot rule and the timer read the same list. */
import { isOccupied, isServed, slotAt, wantedSlots } from './slots.ts'
import { isEmptying } from './restart.ts'
import { isStale, surgeOf, surging, targetOf, turnOf, unsettled } from './roll.ts'
import { isDying, isLive, isReady, isSpare, liveIn } from './workers.ts'
import { NO_SLOT } from './types.ts'
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

/** All missing workers: empty slots in order, then the replacements of a reload, or of a worker that has reached a limit. */
export function bootWishes(state: State): readonly BootWish[] {
  if (!mayBoot(state)) return []
  const fills = wantedSlots(state)
    .filter((slot) => !isOccupied(state, slot.index))
    .map((slot) => fillOf(state, slot.index))
  if (state.reload !== undefined) return [...fills, ...replacements(state, state.reload)]
  return [...fills, ...renewals(state), ...missingSpares(state)]
}

/** Not before the start, not after the stop, not while a restart waits for the old code to go, and not when the first boots show that the code cannot boot. */
function mayBoot(state: State): boolean {
  if (state.phase === 'idle' || state.stop !== undefined || isEmptying(state)) return false
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
function renewals(state: State): readonly BootWish[] {
  if (surging(state) > 0 || !wantedSlots(state).every(({ index }) => isServed(state, index))) return []
  if (state.workers.some(({ phase }) => phase.name === 'draining' && phase.reason === 'recycle')) return []
  const worn = state.workers.find((worker) => worker.worn !== undefined && worker.slot < state.size && isReady(worker))
  return worn === undefined ? [] : [{ slot: worn.slot, generation: state.generation, notBefore: slotAt(state, worn.slot).respawnAt }]
}

/** Spares boot when all slots are served, and no reload may make them old. */
function missingSpares(state: State): readonly BootWish[] {
  if (!wantedSlots(state).every(({ index }) => isServed(state, index))) return []
  const missing = state.settings.spares - state.workers.filter((worker) => isSpare(worker) && isLive(worker)).length
  return Array.from({ length: Math.max(0, missing) }, () => ({ slot: NO_SLOT, generation: state.generation, notBefore: state.spare.respawnAt }))
}

/** Until the new code is proven, one; then as many at a time as the surge allows. */
function replacements(state: State, reload: Reload): readonly BootWish[] {
  const isTrial = reload.direction === 'forward' && !reload.proven
  const slots = unsettled(state, reload).slice(0, isTrial ? 1 : undefined)
  const places = isTrial ? 1 - surging(state) : surgeOf(state) - surging(state)
  return slots
    .filter((slot) => isReplaceable(state, slot, reload))
    .slice(0, Math.max(0, places))
    .map((slot) => (isTrial ? tryOut(slot, reload) : { slot, generation: targetOf(reload), notBefore: slotAt(state, slot).respawnAt }))
}

/** It has an old worker alone, and awaits the exit of none. */
function isReplaceable(state: State, slot: SlotIndex, reload: Reload): boolean {
  if (liveIn(state, slot).length > 1) return false
  if (state.workers.some((worker) => worker.slot === slot && isDying(worker))) return false
  return liveIn(state, slot).some((worker) => isStale(worker, reload))
}

/** The first worker of new code does not pay for the failures of the old: it may be the cure. */
function tryOut(slot: SlotIndex, reload: Reload): BootWish {
  return { slot, generation: reload.to, notBefore: Number.NEGATIVE_INFINITY }
}
