/** What was asked for: start, scale, reload, stop. */
import { announce, quiet } from '../compose.ts'
import { emptySlot } from '../initial-state.ts'
import type { Event, Slot, State, Step } from '../types.ts'

/** Only the first start counts. */
export function recordStart(state: State, at: number): Step {
  if (state.phase !== 'idle' || state.stop !== undefined) return quiet(state)
  return {
    state: { ...state, phase: 'starting', startedAt: at },
    effects: [announce({ type: 'primary:phase', phase: 'starting' })],
  }
}

/** The slots that fall away lose their record of failures; their workers are a matter of the rules. */
export function recordScale(state: State, wanted: number): Step {
  const size = Math.max(1, Math.trunc(wanted))
  if (state.stop !== undefined || state.stopDue !== undefined || size === state.size) return quiet(state)
  const kept = state.slots.map((slot): Slot => (slot.index < size ? slot : { ...slot, failures: 0, failed: false, respawnAt: 0 }))
  const added = Array.from({ length: Math.max(0, size - kept.length) }, (_, index) => emptySlot(kept.length + index))
  return {
    state: { ...state, size, slots: [...kept, ...added] },
    effects: [announce({ type: 'scale:changed', from: state.size, to: size })],
  }
}

/** Requests that come before a reload begins share its answer. */
export function recordReloadRequest(state: State): Step {
  return quiet({ ...state, reloadQueued: true })
}

/** The reload under way turns back as one that failed; the one that waits is answered here. */
export function recordReloadAbort(state: State): Step {
  const { reload, reloadQueued, generation } = state
  const failure = { slot: 0, why: 'cancelled', exit: undefined } as const
  const isUnderWay = reload?.direction === 'forward' && reload.failure === undefined
  return {
    state: { ...state, reloadQueued: false, ...(isUnderWay && { reload: { ...reload, failure } }) },
    effects: reloadQueued ? [announce({ type: 'reload:aborted', generation, failure })] : [],
  }
}

/** Requests that come before a restart begins are one. */
export function recordRestartRequest(state: State): Step {
  return quiet({ ...state, restartQueued: true })
}

/** A second request may only be more urgent. A failure stays the outcome. Where nobody was ever served, nobody has to be told first. */
export function recordStop(state: State, { how, at, delayMs = 0 }: Extract<Event, { type: 'stopRequested' }>): Step {
  const { stop, stopDue } = state
  const outcome = { name: how === 'now' ? 'stopped-now' : 'stopped' } as const
  if (stop === undefined && stopDue === undefined) {
    const isLater = how === 'graceful' && delayMs > 0 && state.everReady
    return quiet(isLater ? { ...state, stopDue: { at: at + delayMs } } : { ...state, stop: { how, outcome } })
  }
  if (how === 'graceful' || stop?.how === 'now') return quiet(state)
  const final = stop?.outcome.name === 'failed' ? stop.outcome : outcome
  return {
    state: { ...state, stop: { how, outcome: final } },
    effects: [announce({ type: 'primary:stopping', how, outcome: final, inMs: 0 })],
  }
}
