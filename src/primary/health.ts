/** What becomes of what workers say of themselves with each beat: there may be too few of them, some are worn, and a new release may be worse than the old one. */
import type { HealthSettings } from '../config/types.ts'
import type { State, WorkerId } from '../core/types.ts'
import type { WorkerMessage } from '../protocol/messages.ts'
import { CanaryWatch } from './canary.ts'
import type { Fact } from './engine.ts'
import type { LoadSize } from './load-size.ts'
import { WearWatch } from './wear-watch.ts'

export interface HealthPorts {
  readonly tell: (fact: Fact) => void
  readonly load: Pick<LoadSize, 'beat' | 'forget'>
}

export class Health {
  readonly #wear: WearWatch
  readonly #canary: CanaryWatch
  readonly #load: HealthPorts['load']

  constructor(limits: HealthSettings, { tell, load }: HealthPorts) {
    this.#load = load
    this.#canary = new CanaryWatch((id, said) => tell({ type: 'workerUnfit', id, said }))
    this.#wear = new WearWatch(limits, {
      worn: (id, why, value) => tell({ type: 'workerWorn', id, why, value }),
      overweight: (id) => tell({ type: 'workerOverweight', id }),
    })
  }

  beat(state: State, id: WorkerId, beat: Extract<WorkerMessage, { readonly type: 'beat' }>): void {
    this.#load.beat(id, beat)
    this.#wear.beat(state, id, beat)
    this.#canary.beat(state, id, beat)
  }

  /** The worker is gone. */
  forget(id: WorkerId): void {
    this.#load.forget(id)
    this.#wear.forget(id)
  }
}
