/** Follows the load, where `--workers` has two ends: gathers how busy the workers are, and asks `load-policy.ts` what it means. */
import { nowMs } from '../base/clock.ts'
import { formatSize } from '../base/units.ts'
import type { SizeRange } from '../config/types.ts'
import { isServed, wantedSlots } from '../core/slots.ts'
import type { State, Worker, WorkerId } from '../core/types.ts'
import { isReady } from '../core/workers.ts'
import type { WorkerMessage } from '../protocol/messages.ts'
import { look, NO_IMPRESSION, smooth, type Impression } from './load-policy.ts'

/** As often as workers tell. */
const ROUND_MS = 500

type Beat = Pick<Extract<WorkerMessage, { readonly type: 'beat' }>, 'busy' | 'rss'>

export interface LoadSizePorts {
  readonly state: () => State
  readonly range: () => SizeRange
  /** Another supervisor takes the place of this one. */
  readonly isUpgrading: () => boolean
  /** Bytes; undefined where nobody knows. */
  readonly freeMemory: () => number | undefined
  /** @param busy 0 to 1 */
  readonly resize: (size: number, busy: number) => void
  readonly warn: (text: string) => void
  /** Monotonic milliseconds. Default: those of this process. */
  readonly clock?: () => number
}

interface Vitals {
  /** Smoothed. */
  readonly busy: number
  readonly rss: number
  readonly heardAt: number
}

export class LoadSize {
  readonly #ports: LoadSizePorts
  readonly #shrinkAfterMs: number
  readonly #clock: () => number
  readonly #vitals = new Map<WorkerId, Vitals>()
  #impression: Impression = NO_IMPRESSION
  /** Rounds, in ms: a supervisor that was suspended has seen nothing meanwhile. */
  #at = 0
  #timer: NodeJS.Timeout | undefined

  constructor(shrinkAfterMs: number, ports: LoadSizePorts) {
    this.#shrinkAfterMs = shrinkAfterMs
    this.#ports = ports
    this.#clock = ports.clock ?? nowMs
  }

  start(): void {
    this.#impression = NO_IMPRESSION
    this.#timer ??= setInterval(() => this.round(), ROUND_MS).unref()
  }

  /** Somebody has chosen a number. */
  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** A worker has said how it is. */
  beat(id: WorkerId, { busy, rss }: Beat): void {
    if (this.#timer === undefined) return
    const heardAt = this.#clock()
    const before = this.#vitals.get(id)
    this.#vitals.set(id, { busy: before === undefined ? busy : smooth(before.busy, busy, heardAt - before.heardAt), rss, heardAt })
  }

  /** The worker is gone. */
  forget(id: WorkerId): void {
    this.#vitals.delete(id)
  }

  /** Looks once. */
  round(): void {
    this.#at += ROUND_MS
    const { state: read, range, resize, warn } = this.#ports
    const state = read()
    const serving = state.workers.filter((worker) => isReady(worker) && worker.slot < state.size)
    const heard = serving.flatMap(({ id }) => this.#vitals.get(id) ?? [])
    const isSteady = heard.length === serving.length && !this.#ports.isUpgrading() && isAtRest(state, this.#clock())
    const busy = heard.reduce((sum, one) => sum + one.busy, 0) / Math.max(1, heard.length)
    const largest = Math.max(1, ...heard.map(({ rss }) => rss))
    let free: number | undefined
    const room = (): number => {
      free = this.#ports.freeMemory()
      return free === undefined ? Infinity : Math.floor(free / largest)
    }
    const [impression, verdict] = look(this.#impression, { at: this.#at, isSteady, size: state.size, range: range(), busy, room }, this.#shrinkAfterMs)
    this.#impression = impression
    if (verdict.name === 'resize') resize(verdict.size, Math.round(busy * 100) / 100)
    if (verdict.name === 'vetoed') warn(`event loops ${Math.round(busy * 100)} % busy, but there is no memory for another worker: ${formatSize(free ?? 0)} are free, and the largest worker has ${formatSize(largest)}`)
  }
}

/** All slots serve, and what they do is their usual work: no start, reload or stop, and no worker that has just come back from a failure. */
function isAtRest(state: State, now: number): boolean {
  if (state.phase !== 'running' || state.stop !== undefined || state.stopDue !== undefined) return false
  if (state.reload !== undefined || state.reloadQueued) return false
  return wantedSlots(state).every(({ index, failures }) => isServed(state, index) && !(failures > 0 && state.workers.some((worker) => worker.slot === index && isFresh(worker, state, now))))
}

/** Its slot is not yet cleared of its failures. */
function isFresh({ readyAt }: Worker, { settings }: State, now: number): boolean {
  return readyAt !== undefined && now - readyAt < settings.stableMs
}
