/** Compares the first worker of a reload, while it is on trial, with the old ones that serve beside it. */
import type { State, WorkerId } from '../core/types.ts'

/** What is known of one worker or of several. */
export interface Trial {
  requests: number
  /** Answers with a status of 500 and above. */
  errors: number
  /** Sum of {@link Sample.busy}, and of how many. */
  busy: number
  samples: number
}

/** What a worker says with a beat, since it was started. */
export interface Sample {
  readonly requests: number
  readonly errors: number
  /** Part of the last half second that its event loop was busy, 0 to 1. */
  readonly busy: number
}

/** Fewer say nothing. */
const LEAST_ERRORS = 5
const LEAST_REQUESTS = 20
/** So much worse than the old ones it must be: twice as bad, and by some percent of all requests. */
const ERRORS = { factor: 2, more: 0.02 }
/** Code that has just been started is slow for a while; then it may not be that much busier. */
const LEAST_SAMPLES = 20
const BUSY = { factor: 2, more: 0.3 }

/**
 * What makes the new one worse, in words; undefined: nothing so far.
 *
 * @param old since the reload began
 * @param lifetime of the old ones since they were started: as long as they have done little beside the new one, it is all that is known
 */
export function judge(canary: Trial, old: Trial, lifetime: Trial): string | undefined {
  // Before any of the old ones has been heard there is nothing to compare with.
  if (old.samples === 0) return undefined
  const rate = ({ errors, requests }: Trial): number => (requests === 0 ? 0 : errors / requests)
  const usual = Math.max(rate(old), rate(lifetime))
  if (canary.errors >= LEAST_ERRORS && canary.requests >= LEAST_REQUESTS && rate(canary) > usual * ERRORS.factor + ERRORS.more) {
    return `${percent(rate(canary))} of its ${canary.requests} requests failed (status 500 and above), of the old workers' ${percent(usual)}`
  }
  if (canary.samples < LEAST_SAMPLES) return undefined
  const busy = ({ busy: sum, samples }: Trial): number => sum / samples
  if (busy(canary) <= busy(old) * BUSY.factor + BUSY.more) return undefined
  return `its event loop is ${percent(busy(canary))} busy, those of the old workers ${percent(busy(old))}`
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`
}

export class CanaryWatch {
  readonly #unfit: (id: WorkerId, said: string) => void
  #generation: number | undefined
  #first = new Map<WorkerId, Sample>()
  #canary = emptyTrial()
  #old = new Map<WorkerId, Trial>()
  #lifetime = new Map<WorkerId, Trial>()

  constructor(unfit: (id: WorkerId, said: string) => void) {
    this.#unfit = unfit
  }

  beat({ reload, workers, settings }: State, id: WorkerId, sample: Sample): void {
    if (settings.canaryMs === 0 || reload?.direction !== 'forward' || reload.proven) return
    if (this.#generation !== reload.to) this.#begin(reload.to)
    const worker = workers.find((one) => one.id === id)
    if (worker?.phase.name !== 'ready') return
    const first = this.#first.get(id) ?? sample
    this.#first.set(id, first)
    if (worker.generation === reload.to) {
      add(this.#canary, sample, { requests: 0, errors: 0 })
      const said = judge(this.#canary, sumOf(this.#old.values()), sumOf(this.#lifetime.values()))
      if (said !== undefined) this.#unfit(id, said)
      return
    }
    const trial = this.#old.get(id) ?? emptyTrial()
    this.#old.set(id, trial)
    add(trial, sample, first)
    this.#lifetime.set(id, { ...emptyTrial(), requests: sample.requests, errors: sample.errors })
  }

  #begin(generation: number): void {
    this.#generation = generation
    this.#first = new Map()
    this.#canary = emptyTrial()
    this.#old = new Map()
    this.#lifetime = new Map()
  }
}

function emptyTrial(): Trial {
  return { requests: 0, errors: 0, busy: 0, samples: 0 }
}

function add(trial: Trial, { requests, errors, busy }: Sample, before: Pick<Sample, 'requests' | 'errors'>): void {
  trial.requests = requests - before.requests
  trial.errors = errors - before.errors
  trial.busy += busy
  trial.samples += 1
}

function sumOf(trials: Iterable<Trial>): Trial {
  const sum = emptyTrial()
  for (const { requests, errors, busy, samples } of trials) {
    sum.requests += requests
    sum.errors += errors
    sum.busy += busy
    sum.samples += samples
  }
  return sum
}
