/**
 * How many connections may be on their way at once: one or two while little happens, so that an end that does not answer
 * keeps few of them, and more while answers come quickly, so that nobody waits for each of them. Pure.
 */

/** At most. */
const MOST = 16
/** Answers longer ago than this say nothing. */
export const WINDOW_MEMORY_MS = 50

export class Window {
  readonly #least: number
  #size: number
  #answeredAt = Number.NEGATIVE_INFINITY

  /** @param least how many may be on their way before anything is known */
  constructor(least: number) {
    this.#least = least
    this.#size = least
  }

  /** How many may be on their way now. */
  size(now: number): number {
    if (now - this.#answeredAt > WINDOW_MEMORY_MS) this.#size = this.#least
    return this.#size
  }

  /** One has arrived. */
  answered(now: number): void {
    this.#size = Math.min(MOST, this.size(now) + 1)
    this.#answeredAt = now
  }
}
