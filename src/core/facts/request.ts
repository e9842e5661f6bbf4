/** What was asked for: start, scale, reload, stop. */
import { announce, quiet } from '../compose.ts'
import { emptySlot } from '../initial-state.ts'
import type { Slot, State, Step } from '../types.ts'

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
  if (state.stop !== undefined || size === state.size) return quiet(state)
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

/** A second request may only be more urgent. A failure stays the outcome. */
export function recordStop(state: State, how: 'graceful' | 'now'): Step {
  const outcome = { name: how === 'now' ? 'stopped-now' : 'stopped' } as const
  if (state.stop === undefined) return quiet({ ...state, stop: { how, outcome } })
  if (how === 'graceful' || state.stop.how === 'now') return quiet(state)
  const final = state.stop.outcome.name === 'failed' ? state.stop.outcome : outcome
  return {
    state: { ...state, stop: { how, outcome: final } },
    effects: [announce({ type: 'primary:stopping', how, outcome: final })],
  }
}
