/** What a worker that is ready goes through before it gets traffic: requests that warm it up, and a probe that it must pass. */
import type { ProbeSettings } from '../config/types.ts'
import type { WorkerId } from '../core/types.ts'
import type { Logger } from '../logs/logs.ts'
import type { WorkerMessage } from '../protocol/messages.ts'
import { probe, type ProbeTarget } from './probe.ts'

type ListeningMessage = Extract<WorkerMessage, { readonly type: 'listening' }>

/** Between two attempts of the probe. */
const AGAIN_MS = 250

export interface Applicant {
  readonly id: WorkerId
  readonly slot: number
  readonly exited: boolean
  readonly linking: Pick<ProbeTarget, 'deliver'>
  /** It may accept connections from now on. */
  readonly open: () => void
}

export class Admission {
  readonly #settings: ProbeSettings
  readonly #log: Logger
  readonly #ask: typeof probe
  /** Told to accept. */
  readonly #opening = new Map<WorkerId, () => void>()
  readonly #places = new Map<WorkerId, Pick<ProbeTarget, 'key' | 'kind'>>()

  constructor(settings: ProbeSettings, log: Logger, ask = probe) {
    this.#settings = settings
    this.#log = log
    this.#ask = ask
  }

  /** A server of the worker listens: the first that speaks HTTP is the one that is asked. */
  listening(id: WorkerId, { key, kind }: ListeningMessage): void {
    const isBetter = kind === 'http' || kind === 'https' || !this.#places.has(id)
    const known = this.#places.get(id)
    if (key !== null && isBetter && known?.kind !== 'http' && known?.kind !== 'https') this.#places.set(id, { key, kind })
  }

  /** The worker accepts: only now may anybody be told that it does. */
  opened(id: WorkerId): void {
    const admitted = this.#opening.get(id)
    this.#opening.delete(id)
    admitted?.()
  }

  forget(id: WorkerId): void {
    this.#places.delete(id)
    this.#opening.delete(id)
  }

  /** Calls back when the worker may serve; never, if it does not pass before the ready timeout ends it. */
  admit(worker: Applicant, admitted: () => void): void {
    if (!isGated(this.#settings)) {
      admitted()
      return
    }
    void this.#examine(worker).then((passed) => {
      if (!passed || worker.exited) return
      this.#opening.set(worker.id, admitted)
      worker.open()
    })
  }

  async #examine(worker: Applicant): Promise<boolean> {
    const place = this.#places.get(worker.id)
    // It has declared itself ready without a server, or listens where nothing can be sent to it.
    if (place === undefined) return this.#settings.probe === undefined || this.#fail(worker, 'it has no server that can be asked')
    const target: ProbeTarget = { ...place, deliver: (parcel, handle) => worker.linking.deliver(parcel, handle) }
    for (const path of this.#settings.warmUp) {
      // oxlint-disable-next-line no-await-in-loop
      const failure = await this.#ask(target, path)
      if (failure !== undefined) this.#log.debug(`worker ${worker.slot}: warming up with ${path}: ${failure}`, { event: 'warm-up:failed', slot: worker.slot })
    }
    return this.#settings.probe === undefined || this.#pass(worker, target, this.#settings.probe)
  }

  /** Until it passes, or is killed for not being ready in time. */
  async #pass(worker: Applicant, target: ProbeTarget, path: string): Promise<boolean> {
    let told: string | undefined
    while (!worker.exited) {
      // oxlint-disable-next-line no-await-in-loop
      const failure = await this.#ask(target, path)
      if (failure === undefined) return true
      if (failure !== told && !worker.exited) this.#fail(worker, failure)
      told = failure
      // oxlint-disable-next-line no-await-in-loop
      await new Promise<void>((resolve) => {
        setTimeout(resolve, AGAIN_MS).unref()
      })
    }
    return false
  }

  #fail({ slot }: Applicant, why: string): false {
    this.#log.warn(`worker ${slot} does not pass the probe ${this.#settings.probe}: ${why}`, { event: 'probe:failed', slot, why })
    return false
  }
}

/** Workers wait for a word before they accept. */
export function isGated({ probe: path, warmUp }: ProbeSettings): boolean {
  return path !== undefined || warmUp.length > 0
}
