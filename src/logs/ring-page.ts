import type { RecordLevel } from './record.ts'
import { LEVEL_NUMBERS, RECORD_LEVELS, readRecord } from './record.ts'
import { withoutReturn } from './line-splitter.ts'

/** Who wrote a line: a worker on one of its streams, or the supervisor. */
export const RING_STREAMS = ['stdout', 'stderr', 'everycore'] as const

export type RingStream = (typeof RING_STREAMS)[number]

/** A line that is remembered. */
export interface RingLine {
  /** When it arrived, in ms since 1970. */
  readonly at: number
  /** Below 0: a spare, or the supervisor. */
  readonly slot: number
  readonly pid: number
  readonly stream: RingStream
  /** Only a piece of a line that was too long: the next line of this stream continues it. */
  readonly cut: boolean
  /** Without its newline. */
  readonly bytes: Buffer
}

/** Doubles before each line: when, slot, pid, and what follows in one number. */
const HEADER_DOUBLES = 4
export const HEADER_BYTES = HEADER_DOUBLES * 8

/* The last double: length * 64 + cut * 32 + stream * 8 + level. Of the level 0 is "not looked at yet" and 7 "tells none". */
const LEVEL_MASK = 7
const NO_LEVEL = 7
const STREAM_SHIFT = 3
const STREAM_MASK = 3
const CUT = 32
const LENGTH_SHIFT = 6

/**
 * Lines one after the other in one piece of memory, each behind a header of doubles. So a line costs its bytes and
 * 32 more, and no object; the memory is used again when all of its lines are forgotten.
 */
export class RingPage {
  readonly #memory: Buffer
  readonly #doubles: Float64Array
  #end = 0
  /** Lines that it holds. */
  count = 0
  /** Number of its first line, of all that there ever were. */
  first = 0

  /** @param size bytes, a multiple of 8 */
  constructor(size: number) {
    const memory = new ArrayBuffer(size)
    this.#memory = Buffer.from(memory)
    this.#doubles = new Float64Array(memory)
  }

  /** Where the next line will begin. */
  get end(): number {
    return this.#end
  }

  /** Makes it empty; its first line will have this number. */
  restart(first: number): void {
    this.first = first
    this.count = 0
    this.#end = 0
  }

  /** Whether a line of so many bytes still fits. */
  fits(length: number): boolean {
    return this.#end + HEADER_BYTES + length <= this.#memory.length
  }

  /** Takes a line that fits. @param level 0 where nobody has looked at it yet */
  append(at: number, slot: number, pid: number, stream: number, cut: boolean, level: number, bytes: Buffer): void {
    const doubles = this.#doubles
    const index = this.#end >>> 3
    doubles[index] = at
    doubles[index + 1] = slot
    doubles[index + 2] = pid
    doubles[index + 3] = (bytes.length << LENGTH_SHIFT) | (cut ? CUT : 0) | (stream << STREAM_SHIFT) | level
    this.#memory.set(bytes, this.#end + HEADER_BYTES)
    this.#end = (this.#end + HEADER_BYTES + bytes.length + 7) & ~7
    this.count++
  }

  /** Where the line after the one at this offset begins. */
  next(offset: number): number {
    return (offset + HEADER_BYTES + (this.#flags(offset) >>> LENGTH_SHIFT) + 7) & ~7
  }

  /** Where each line begins, oldest first. */
  offsets(): readonly number[] {
    const offsets: number[] = []
    for (let at = 0; at < this.#end; at = this.next(at)) offsets.push(at)
    return offsets
  }

  at(offset: number): number {
    return this.#doubles[offset >>> 3] ?? 0
  }

  slot(offset: number): number {
    return this.#doubles[(offset >>> 3) + 1] ?? 0
  }

  /** The level that the line tells itself; found out at the first question. */
  level(offset: number): RecordLevel | undefined {
    const flags = this.#flags(offset)
    let level = flags & LEVEL_MASK
    if (level === 0) {
      const found = readRecord(this.#bytes(offset))?.level
      level = found === undefined ? NO_LEVEL : levelCode(found)
      this.#doubles[(offset >>> 3) + 3] = flags | level
    }
    return RECORD_LEVELS[level - 1]
  }

  stream(offset: number): RingStream {
    return RING_STREAMS[(this.#flags(offset) >>> STREAM_SHIFT) & STREAM_MASK] ?? 'stdout'
  }

  /** The whole line. Its bytes are those of the page: valid until the next line is appended. */
  line(offset: number): RingLine {
    const pid = this.#doubles[(offset >>> 3) + 2] ?? 0
    return { at: this.at(offset), slot: this.slot(offset), pid, stream: this.stream(offset), cut: (this.#flags(offset) & CUT) !== 0, bytes: withoutReturn(this.#bytes(offset)) }
  }

  #flags(offset: number): number {
    return this.#doubles[(offset >>> 3) + 3] ?? 0
  }

  #bytes(offset: number): Buffer {
    const start = offset + HEADER_BYTES
    return this.#memory.subarray(start, start + (this.#flags(offset) >>> LENGTH_SHIFT))
  }
}

/** The level as {@link RingPage.append} takes it. */
export function levelCode(level: RecordLevel): number {
  return LEVEL_NUMBERS[level] / 10
}
