/** All events of a supervisor for any number of listeners. Nothing is attached while there is none. */
import type { ControlEvent } from '../protocol/control.ts'
import { EVENT_NAMES } from './events.ts'
import type { Supervisor } from './supervisor.ts'

/** What the app says is its own affair, and listening to it would change what becomes of it. */
const TOLD = EVENT_NAMES.filter((name) => name !== 'worker:message')

export class EventHub {
  readonly #supervisor: Supervisor
  readonly #listeners = new Set<(event: ControlEvent) => void>()
  readonly #attached: readonly { readonly name: (typeof TOLD)[number]; readonly tell: (details?: object) => void }[]

  constructor(supervisor: Supervisor) {
    this.#supervisor = supervisor
    this.#attached = TOLD.map((name) => ({ name, tell: (details) => this.#tell({ ...details, type: name, at: new Date().toISOString() }) }))
  }

  /** Calls for each event from now on. Returns how to end that. */
  subscribe(listener: (event: ControlEvent) => void): () => void {
    if (this.#listeners.size === 0) for (const { name, tell } of this.#attached) this.#supervisor.on(name, tell)
    this.#listeners.add(listener)
    return () => {
      const wasThere = this.#listeners.delete(listener)
      if (wasThere && this.#listeners.size === 0) for (const { name, tell } of this.#attached) this.#supervisor.off(name, tell)
    }
  }

  #tell(event: ControlEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}
