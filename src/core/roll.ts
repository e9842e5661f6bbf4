/** Where a reload stands: which generation is wanted, and whose turn it is. */
import { wantedSlots } from './slots.ts'
import { isLive, isProven, liveIn } from './workers.ts'
import type { Reload, SlotIndex, State, Worker } from './types.ts'

/** The generation that the reload moves to: the new one, or the old one after a failure. */
export function targetOf(reload: Reload): number {
  return reload.direction === 'forward' ? reload.to : reload.from
}

/** Is meant to serve but belongs to a generation that the reload replaces. */
export function isStale(worker: Worker, reload: Reload): boolean {
  return isLive(worker) && worker.generation !== targetOf(reload)
}

/**
 * The lowest slot that the reload has not settled; undefined when it is complete. Forward, a slot
 * is settled by a proven worker of the new generation alone in it; back, by the absence of others
 * than the old generation, since empty slots are filled anyway.
 */
export function turnOf(state: State, reload: Reload): SlotIndex | undefined {
  return unsettled(state, reload)[0]
}

/** All slots that the reload has not settled, from the lowest up. */
export function unsettled(state: State, reload: Reload): readonly SlotIndex[] {
  return wantedSlots(state).flatMap(({ index }) => (isSettled(liveIn(state, index), reload) ? [] : [index]))
}

function isSettled(live: readonly Worker[], reload: Reload): boolean {
  if (live.some((worker) => isStale(worker, reload))) return false
  return reload.direction === 'back' || live.some(isProven)
}

/** How many slots hold an old worker and its replacement. */
export function surging(state: State): number {
  return wantedSlots(state).filter((slot) => liveIn(state, slot.index).length > 1).length
}

/** How many may. */
export function surgeOf({ settings: { surge }, size }: State): number {
  const wanted = 'count' in surge ? surge.count : Math.floor((size * surge.percent) / 100)
  return Math.min(size, Math.max(1, wanted))
}
