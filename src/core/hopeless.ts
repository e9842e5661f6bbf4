import { wantedSlots } from './slots.ts'
import { occupies } from './workers.ts'
import type { State } from './types.ts'

/**
 * Nobody serves, nobody boots, and another attempt is pointless: either the code has never booted
 * and did not boot now, or every slot has failed `maxFailures` times in a row.
 */
export function isHopeless(state: State): boolean {
  if (state.workers.some(occupies)) return false
  if (!state.everReady && state.bootFailed) return true
  if (isTryingNewCode(state)) return false
  return wantedSlots(state).every((slot) => slot.failures >= state.settings.maxFailures)
}

/** New code may be the cure; its first worker is about to boot. */
function isTryingNewCode({ reload }: State): boolean {
  return reload?.direction === 'forward' && !reload.proven && reload.failure === undefined
}
