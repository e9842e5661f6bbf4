/** When a healthy worker is to be replaced: it has reached a limit that the operator has set, or its heap is nearly full. */
import type { HealthSettings } from '../config/types.ts'
import type { RecycleReason } from '../core/types.ts'

/** What a worker says of itself with each beat. */
export interface Vitals {
  /** Resident memory in bytes. */
  readonly rss: number
  /** Part of the heap's limit that is used, 0 to 1. */
  readonly heap: number
  /** Requests begun. */
  readonly requests: number
}

export interface Aged extends Vitals {
  readonly slot: number
  /** Since it was ready, in ms. */
  readonly ageMs: number
  /** Beats in a row with a heap that was nearly full. */
  readonly fullBeats: number
}

/** How much more than `maxMemory` is too much to wait for a replacement. */
const HARD_FACTOR = 1.5
/** The limits of requests and lifetime of the slots lie in the last part of what was set, so that workers that were started together do not end together. */
const STAGGER = 0.2
/** V8 collects a heap that is fuller than this as hard as it can. */
export const FULL_HEAP = 0.9
/** Garbage may fill it for a moment. */
const FULL_BEATS = 4

/** What is to become of a worker: `kill` cannot wait. Undefined: it serves on. */
export function wearOf(worker: Aged, limits: HealthSettings, size: number): RecycleReason | 'kill' | undefined {
  const { maxMemory = Infinity, maxRequests = Infinity, maxLifetimeMs = Infinity } = limits
  const part = 1 - (STAGGER * (worker.slot % size)) / size
  if (worker.rss > maxMemory * HARD_FACTOR) return 'kill'
  if (worker.rss > maxMemory) return 'memory'
  if (worker.fullBeats >= FULL_BEATS) return 'heap'
  if (worker.requests >= Math.max(1, Math.floor(maxRequests * part))) return 'requests'
  return worker.ageMs >= maxLifetimeMs * part ? 'lifetime' : undefined
}
