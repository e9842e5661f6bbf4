import type { CoreSettings, Slot, State } from './types.ts'

/** A supervisor that was not started: `size` empty slots (at least 1), generation 1. */
export function initialState(settings: CoreSettings, size: number): State {
  const seats = Math.max(1, Math.trunc(size))
  return {
    settings,
    phase: 'idle',
    size: seats,
    startedAt: undefined,
    generation: 1,
    lastGeneration: 1,
    nextWorkerId: 1,
    slots: Array.from({ length: seats }, (_, index) => emptySlot(index)),
    workers: [],
    reload: undefined,
    reloadQueued: false,
    restart: undefined,
    restartQueued: false,
    socketsInDoubt: false,
    spare: { failures: 0, respawnAt: Number.NEGATIVE_INFINITY },
    everReady: false,
    everRunning: false,
    bootFailed: false,
    lastFailure: undefined,
    stop: undefined,
    stopDue: undefined,
  }
}

/** A slot without a past. */
export function emptySlot(index: number): Slot {
  return { index, failures: 0, failed: false, respawnAt: 0, restarts: 0 }
}
