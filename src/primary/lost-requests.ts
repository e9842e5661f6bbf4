/** Counts requests that no answer came for, because their worker was killed or crashed. */
import type { WorkerId } from '../core/types.ts'
import type { SupervisorEvents } from './events.ts'
import type { Supervisor } from './supervisor.ts'

/** How old the number may be that counts when a worker ends. */
const ROUND_MS = 250

export class LostRequests {
  readonly #supervisor: Supervisor
  readonly #inFlightOf: (id: WorkerId) => number | null
  readonly #last = new Map<WorkerId, number | null>()
  readonly #timer: NodeJS.Timeout
  readonly #onExited = (exited: SupervisorEvents['worker:exited'][0]): void => this.#note(exited)
  #count: number | null = 0

  /** Counts until `end()`. */
  constructor(supervisor: Supervisor, inFlightOf: (id: WorkerId) => number | null) {
    this.#supervisor = supervisor
    this.#inFlightOf = inFlightOf
    this.#timer = setInterval(() => this.#look(), ROUND_MS).unref()
    this.#look()
    supervisor.on('worker:exited', this.#onExited)
  }

  /** Null: workers were lost, and what they had is not known. */
  get count(): number | null {
    return this.#count
  }

  end(): void {
    clearInterval(this.#timer)
    this.#supervisor.off('worker:exited', this.#onExited)
  }

  #look(): void {
    for (const { id } of this.#supervisor.snapshot.workers) this.#last.set(id, this.#inFlightOf(id))
  }

  #note({ id, kind }: SupervisorEvents['worker:exited'][0]): void {
    if (kind !== 'killed' && kind !== 'crash') return
    const inFlight = this.#last.get(id) ?? null
    this.#count = this.#count === null || inFlight === null ? null : this.#count + inFlight
  }
}
