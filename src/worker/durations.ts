/** Durations in buckets, since they were last asked for. */
import type { DurationCounts } from '../protocol/vitals.ts'

export class Durations {
  readonly #boundsMs: readonly number[]
  readonly #counts: number[]
  #sumMs = 0
  isEmpty = true

  /** @param bounds upper ends of the buckets in seconds, without the last one */
  constructor(bounds: readonly number[]) {
    this.#boundsMs = bounds.map((bound) => bound * 1000)
    this.#counts = [...bounds, Infinity].map(() => 0)
  }

  add(ms: number): void {
    let bucket = 0
    while (bucket < this.#boundsMs.length && ms > (this.#boundsMs[bucket] ?? 0)) bucket += 1
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#sumMs += ms
    this.isEmpty = false
  }

  /** What was added, and begins anew. */
  take(): DurationCounts {
    const taken = { sumMs: this.#sumMs, counts: [...this.#counts] }
    this.#counts.fill(0)
    this.#sumMs = 0
    this.isEmpty = true
    return taken
  }
}
