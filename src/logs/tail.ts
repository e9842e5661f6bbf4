import { withoutReturn } from './line-splitter.ts'
import { sanitizeBytes } from './sanitize.ts'
import type { StreamName } from './types.ts'

/** One of a worker's last lines, harmless for a terminal and without colours. */
export interface TailLine {
  readonly stream: StreamName
  readonly text: string
}

/** How much a {@link Tail} remembers. */
export interface TailLimits {
  readonly lines: number
  readonly bytes: number
}

/** Enough for a stack trace with what led to it, little enough to be kept for every worker. */
export const TAIL_LIMITS: TailLimits = { lines: 200, bytes: 64 * 1024 }

interface Entry {
  readonly stream: StreamName
  readonly bytes: Buffer
}

/**
 * The last words of a worker. A ring: the newest lines stay, bounded in number and in bytes. It
 * keeps the bytes as they came and decodes them only when asked.
 */
export class Tail {
  readonly #limits: TailLimits
  readonly #ring: (Entry | undefined)[]
  /** Where the oldest entry is. */
  #first = 0
  #count = 0
  #bytes = 0

  constructor(limits: TailLimits = TAIL_LIMITS) {
    this.#limits = limits
    this.#ring = Array.from<undefined>({ length: limits.lines })
  }

  push(stream: StreamName, bytes: Buffer): void {
    if (this.#count === this.#limits.lines) this.#forget()
    // An entry larger than everything allowed keeps its end.
    const kept = bytes.length > this.#limits.bytes ? bytes.subarray(bytes.length - this.#limits.bytes) : bytes
    while (this.#bytes + kept.length > this.#limits.bytes) this.#forget()
    this.#ring[(this.#first + this.#count) % this.#limits.lines] = { stream, bytes: kept }
    this.#count++
    this.#bytes += kept.length
  }

  /** The remembered lines, oldest first. */
  lines(): TailLine[] {
    const lines: TailLine[] = []
    for (let index = 0; index < this.#count; index++) {
      const entry = this.#ring[(this.#first + index) % this.#limits.lines]
      if (entry !== undefined) lines.push({ stream: entry.stream, text: sanitizeBytes(withoutReturn(entry.bytes), false) })
    }
    return lines
  }

  #forget(): void {
    const oldest = this.#ring[this.#first]
    this.#ring[this.#first] = undefined
    this.#first = (this.#first + 1) % this.#limits.lines
    this.#count--
    this.#bytes -= oldest?.bytes.length ?? 0
  }
}
