/** What becomes of what workers say of themselves with each beat: some are worn, and a new release may be worse than the old one. */
import type { HealthSettings } from '../config/types.ts'
import type { State, WorkerId } from '../core/types.ts'
import type { WorkerMessage } from '../protocol/messages.ts'
import { CanaryWatch } from './canary.ts'
import type { Fact } from './engine.ts'
import { WearWatch } from './wear-watch.ts'

export interface HealthPorts {
  readonly tell: (fact: Fact) => void
  /** Part of its time that the worker is busy, 0 to 1. */
  readonly busyOf: (id: WorkerId) => number
}

export class Health {
  readonly #wear: WearWatch
  readonly #canary: CanaryWatch
  readonly #busyOf: HealthPorts['busyOf']

  constructor(limits: HealthSettings, { tell, busyOf }: HealthPorts) {
    this.#busyOf = busyOf
    this.#canary = new CanaryWatch((id, said) => tell({ type: 'workerUnfit', id, said }))
    this.#wear = new WearWatch(limits, {
      worn: (id, why, value) => tell({ type: 'workerWorn', id, why, value }),
      overweight: (id) => tell({ type: 'workerOverweight', id }),
    })
  }

  beat(state: State, id: WorkerId, beat: Extract<WorkerMessage, { readonly type: 'beat' }>): void {
    this.#wear.beat(state, id, beat)
    this.#canary.beat(state, id, { ...beat, busy: this.#busyOf(id) })
  }

  /** The worker is gone. */
  forget(id: WorkerId): void {
    this.#wear.forget(id)
  }
}
