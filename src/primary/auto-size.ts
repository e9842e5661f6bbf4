/** Follows the machine: where the number of workers was derived from it, it changes when the cores, the quota or the memory limit do. */

/** A container is resized by people and by controllers, who are seldom quicker. */
const ROUND_MS = 2000

export interface AutoSizePorts {
  /** What the machine gives now; undefined where somebody has asked for a number. */
  readonly read: (asked?: 'auto') => number | undefined
  readonly resize: (size: number) => void
}

export class AutoSize {
  readonly #ports: AutoSizePorts
  #last: number
  #asked: 'auto' | undefined
  #timer: NodeJS.Timeout | undefined

  /** @param size what the machine gave at the start */
  constructor(size: number, ports: AutoSizePorts) {
    this.#last = size
    this.#ports = ports
  }

  start(): void {
    this.#timer ??= setInterval(() => this.look(), ROUND_MS).unref()
  }

  /** Somebody wants a number from now on, or what the machine gives. Returns how many that are. */
  choose(wanted: number | 'auto'): number {
    if (wanted !== 'auto') {
      this.stop()
      return wanted
    }
    this.#asked = 'auto'
    this.#last = this.#ports.read(this.#asked) ?? this.#last
    this.start()
    return this.#last
  }

  /** The number stays as it is. */
  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Looks once. */
  look(): void {
    const size = this.#ports.read(this.#asked)
    if (size === undefined) this.stop()
    if (size === undefined || size === this.#last) return
    this.#last = size
    this.#ports.resize(size)
  }
}
