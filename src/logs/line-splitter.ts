import type { LineEnd } from './types.ts'

/** The longest piece that leaves a splitter, in bytes. */
export const MAX_LINE_BYTES = 64 * 1024

const NEWLINE = 10
const RETURN = 13
const EMPTY = Buffer.alloc(0)
const FIRST_HOLD_BYTES = 256

/** Takes one piece. The bytes have no newline, and stay valid: the splitter never writes to them again. */
export type OnLine = (bytes: Buffer, end: LineEnd) => void

/**
 * Cuts a byte stream into lines. It works on bytes, so a character that arrives in two chunks stays
 * whole. A line longer than the limit leaves in several pieces, cut between characters. Time and
 * memory are linear: every byte is searched once and copied at most a fixed number of times.
 */
export class LineSplitter {
  readonly #onLine: OnLine
  readonly #maxBytes: number
  /** The start of an unfinished line, in the first `#held` bytes. */
  #hold: Buffer = EMPTY
  #held = 0

  /** @param maxBytes longest piece, at least 4 (one UTF-8 character). */
  constructor(onLine: OnLine, maxBytes: number = MAX_LINE_BYTES) {
    this.#onLine = onLine
    this.#maxBytes = maxBytes
  }

  /** Takes the next bytes of the stream and gives out each line that they complete. */
  push(chunk: Buffer): void {
    let start = 0
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, start)) {
      this.#finish(chunk, start, at)
      start = at + 1
    }
    if (start < chunk.length) this.#keep(chunk, start, chunk.length)
  }

  /** Gives out an unfinished last line. To be called once, when the stream has ended. */
  flush(): void {
    if (this.#held > 0) this.#onLine(this.#release(), 'eof')
  }

  #finish(chunk: Buffer, start: number, end: number): void {
    if (this.#held === 0 && end - start <= this.#maxBytes) {
      this.#onLine(chunk.subarray(start, end), 'newline')
      return
    }
    this.#keep(chunk, start, end)
    this.#onLine(this.#release(), 'newline')
  }

  /** Holds the bytes back, and gives out a cut piece each time that more than the limit is held. */
  #keep(chunk: Buffer, start: number, end: number): void {
    let from = start
    while (this.#held + (end - from) > this.#maxBytes) {
      const to = from + this.#maxBytes - this.#held
      this.#append(chunk, from, to)
      from = to
      this.#cut()
    }
    this.#append(chunk, from, end)
  }

  #cut(): void {
    const full = this.#release()
    const at = characterBoundary(full)
    this.#onLine(full.subarray(0, at), 'cut')
    this.#append(full, at, full.length)
  }

  #append(source: Buffer, start: number, end: number): void {
    const needed = this.#held + (end - start)
    if (needed > this.#hold.length) {
      const size = Math.min(this.#maxBytes, Math.max(FIRST_HOLD_BYTES, needed, this.#hold.length * 2))
      const larger = Buffer.allocUnsafe(size)
      this.#hold.copy(larger, 0, 0, this.#held)
      this.#hold = larger
    }
    source.copy(this.#hold, this.#held, start, end)
    this.#held = needed
  }

  /** Gives the held bytes away together with their memory. */
  #release(): Buffer {
    const bytes = this.#hold.subarray(0, this.#held)
    this.#hold = EMPTY
    this.#held = 0
    return bytes
  }
}

/** The line without the CR of a CRLF. */
export function withoutReturn(bytes: Buffer): Buffer {
  return bytes[bytes.length - 1] === RETURN ? bytes.subarray(0, -1) : bytes
}

/** The last place at which the bytes can be cut without splitting a UTF-8 character. */
function characterBoundary(bytes: Buffer): number {
  const end = bytes.length
  for (let back = 1; back <= 3 && back < end; back++) {
    const byte = bytes[end - back] ?? 0
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return length > back ? end - back : end
  }
  return end
}
