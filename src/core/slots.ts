import { isReady, occupies } from './workers.ts'
import type { Slot, SlotIndex, State } from './types.ts'

/** The slots that are to be filled: 0 to size-1. */
export function wantedSlots(state: State): readonly Slot[] {
  return state.slots.length === state.size ? state.slots : state.slots.slice(0, state.size)
}

/** A slot that exists in the state. */
export function slotAt(state: State, index: SlotIndex): Slot {
  const slot = state.slots[index]
  if (slot === undefined) throw new RangeError(`no slot ${index}`)
  return slot
}

/** Replaces some fields of one slot. */
export function patchSlot(state: State, index: SlotIndex, patch: Partial<Slot>): State {
  return { ...state, slots: state.slots.map((slot) => (slot.index === index ? { ...slot, ...patch } : slot)) }
}

/** A worker holds the slot, so that it needs no new one. */
export function isOccupied(state: State, index: SlotIndex): boolean {
  return state.workers.some((worker) => worker.slot === index && occupies(worker))
}

/** A worker serves in the slot. */
export function isServed(state: State, index: SlotIndex): boolean {
  return state.workers.some((worker) => worker.slot === index && isReady(worker))
}
