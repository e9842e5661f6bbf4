/**
 * Notices workers whose event loop stands still. The guardian is told of them soon, in case the primary is killed
 * meanwhile; the supervisor when they have been silent for the hang timeout. The worker's half is `worker/beat.ts`.
 *
 * Silence is counted in rounds of this process, and a round counts for little however late it comes. So a
 * supervisor, or a whole machine, that was suspended or starved blames nobody when it goes on.
 */
import { nowMs } from '../base/clock.ts'
import type { Guardian } from './guardian.ts'

/** Silence of which the guardian is told. */
const SILENCE_MS = 2500
const LONGEST_ROUND_MS = 500
/** How much longer than a round may seem to have passed since the last one. */
const LATE_FACTOR = 1.5

export interface Watched {
  readonly pid: number
  /** When anything came from it. */
  readonly heardAt: number
  readonly exited: boolean
  /** Whoever looks into it makes it silent: it does not hang. The guardian is told all the same: such a worker cannot drain. */
  readonly isExcused: boolean
}

export interface VigilOptions<Worker extends Watched> {
  readonly workers: () => Iterable<Worker>
  readonly guardian: Pick<Guardian, 'mark'>
  /** In ms; 0: nobody is told but the guardian. */
  readonly hangTimeoutMs: number
  /** Told once for each silence. */
  readonly onStalled: (worker: Worker, silentMs: number) => void
  /** Default: monotonic milliseconds. */
  readonly clock?: () => number
}

/** How often a worker beats and the vigil looks, for a hang timeout: often enough to notice one within a second. */
export function beatMsFor(hangTimeoutMs: number): number {
  return hangTimeoutMs === 0 ? LONGEST_ROUND_MS : Math.min(LONGEST_ROUND_MS, Math.ceil(hangTimeoutMs / 8))
}

interface Silence {
  heardAt: number
  silentMs: number
  /** So much of it was excused. */
  excusedMs: number
  told: boolean
}

export class Vigil<Worker extends Watched> {
  readonly #options: VigilOptions<Worker>
  readonly #clock: () => number
  readonly #roundMs: number
  readonly #silences = new WeakMap<Worker, Silence>()
  #lastRound: number

  constructor(options: VigilOptions<Worker>) {
    this.#options = options
    this.#clock = options.clock ?? nowMs
    this.#roundMs = beatMsFor(options.hangTimeoutMs)
    this.#lastRound = this.#clock()
  }

  /** Begins the rounds; returns how to end them. */
  start(): () => void {
    // What has come meanwhile is read first.
    const timer = setInterval(() => setImmediate(() => this.round()), this.#roundMs).unref()
    return () => clearInterval(timer)
  }

  /** Looks at all workers once. */
  round(): void {
    const now = this.#clock()
    const passedMs = Math.min(now - this.#lastRound, this.#roundMs * LATE_FACTOR)
    this.#lastRound = now
    for (const worker of this.#options.workers()) if (!worker.exited) this.#look(worker, passedMs)
  }

  #look(worker: Worker, passedMs: number): void {
    const { guardian, hangTimeoutMs, onStalled } = this.#options
    const silence = this.#silences.get(worker) ?? { heardAt: worker.heardAt, silentMs: -passedMs, excusedMs: 0, told: false }
    this.#silences.set(worker, silence)
    if (silence.heardAt === worker.heardAt) silence.silentMs += passedMs
    else Object.assign(silence, { heardAt: worker.heardAt, silentMs: 0, excusedMs: 0, told: false })
    guardian.mark(worker.pid, silence.silentMs < SILENCE_MS)
    if (worker.isExcused) silence.excusedMs = silence.silentMs
    // A beat may have been due at the very moment when it began.
    if (hangTimeoutMs === 0 || silence.told || silence.silentMs - silence.excusedMs < hangTimeoutMs + this.#roundMs) return
    silence.told = true
    onStalled(worker, silence.silentMs)
  }
}
