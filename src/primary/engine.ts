/** Drives the core: one queue, one timer, effects in order. Everything that happens becomes an event here. */
import { nowMs } from '../base/clock.ts'
import { step } from '../core/step.ts'
import type { Effect, Event, State } from '../core/types.ts'
import { wakeAt } from '../core/wake-at.ts'

/** An event before it has its time. */
export type Fact = Event extends infer One ? (One extends Event ? Omit<One, 'at'> : never) : never

export class Engine {
  #state: State
  readonly #perform: (effect: Effect) => void
  readonly #queue: Event[] = []
  #busy = false
  #ended = false
  #timer: NodeJS.Timeout | undefined

  constructor(state: State, perform: (effect: Effect) => void) {
    this.#state = state
    this.#perform = perform
  }

  get state(): State {
    return this.#state
  }

  /** Takes a fact. Effects may report facts of their own; they queue up behind. */
  tell(fact: Fact): void {
    if (this.#ended) return
    this.#queue.push({ ...fact, at: nowMs() })
    if (this.#busy) return
    this.#busy = true
    try {
      for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) {
        const { state, effects } = step(this.#state, event)
        this.#state = state
        for (const effect of effects) this.#perform(effect)
      }
    } finally {
      this.#busy = false
      this.#schedule()
    }
  }

  /** No further event is taken, no timer is left. */
  end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    if (this.#ended) return
    const now = nowMs()
    const at = wakeAt(this.#state, now)
    if (at === undefined) return
    // Timers of Node fire up to 1 ms early against this clock; the core expects late, never early.
    this.#timer = setTimeout(() => this.tell({ type: 'timePassed' }), Math.min(Math.max(0, Math.ceil(at - now) + 1), 2 ** 31 - 1))
  }
}
