/** Where a restart stands. */
import { wantedSlots } from './slots.ts'
import type { State } from './types.ts'

/** It waits for the last worker of the old code: nobody boots. */
export function isEmptying({ restart, workers }: State): boolean {
  return restart !== undefined && workers.some(({ generation }) => generation < restart.to)
}

/** Others wait for its end, unless its code fails: then they may be the cure. */
export function barsOthers(state: State): boolean {
  if (state.restart === undefined) return false
  return isEmptying(state) || !wantedSlots(state).some(({ failed }) => failed)
}
