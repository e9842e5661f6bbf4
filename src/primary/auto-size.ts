/** Follows the machine: where the number of workers was derived from it, it changes when the cores, the quota or the memory limit do. */
import type { SizeRange } from '../config/types.ts'

/** A container is resized by people and by controllers, who are seldom quicker. */
const ROUND_MS = 2000

export interface AutoSizePorts {
  /** What the machine gives now, for what was asked for, or for `auto`; undefined where that was nothing but numbers. */
  readonly read: (asked?: 'auto') => SizeRange | undefined
  readonly changed: (range: SizeRange) => void
}

export class AutoSize {
  readonly #ports: AutoSizePorts
  #last: SizeRange
  #asked: 'auto' | undefined
  #timer: NodeJS.Timeout | undefined

  /** @param range what the machine gave at the start */
  constructor(range: SizeRange, ports: AutoSizePorts) {
    this.#last = range
    this.#ports = ports
  }

  /** What it gave when it was last looked at. */
  get range(): SizeRange {
    return this.#last
  }

  start(): void {
    this.#timer ??= setInterval(() => this.look(), ROUND_MS).unref()
  }

  /** From now on the number follows the machine: as was asked for at the start, or all that it gives where that was a number. */
  follow(): void {
    if (this.#ports.read() === undefined) this.#asked = 'auto'
    this.#last = this.#ports.read(this.#asked) ?? this.#last
    this.start()
  }

  /** The number stays as it is. */
  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Looks once. */
  look(): void {
    const range = this.#ports.read(this.#asked)
    if (range === undefined) this.stop()
    if (range === undefined || (range.least === this.#last.least && range.most === this.#last.most)) return
    this.#last = range
    this.#ports.changed(range)
  }
}
