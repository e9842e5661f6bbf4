import type { Readable, Writable } from 'node:stream'
import { LineSplitter } from '../logs/line-splitter.ts'
import type { LineEnd } from '../logs/types.ts'

const NEWLINE = Buffer.from('\n')

/** Copies lines with a prefix. Reads no further than can be written: whoever writes the lines drops and counts what is too much. */
export class LinePrefix {
  readonly #prefix: Buffer
  readonly #to: Writable
  #pieces: Buffer[] = []
  #isStart = true

  constructor(prefix: string, to: Writable) {
    this.#prefix = Buffer.from(prefix)
    this.#to = to
  }

  /** Until the end of the stream. */
  follow(from: Readable | null): void {
    const splitter = new LineSplitter((bytes, end) => this.#add(bytes, end))
    from?.on('data', (chunk: Buffer) => {
      splitter.push(chunk)
      if (this.#flush()) return
      from.pause()
      this.#to.once('drain', () => from.resume())
    })
    from?.once('end', () => {
      splitter.flush()
      this.#flush()
    })
  }

  #add(bytes: Buffer, end: LineEnd): void {
    if (this.#isStart) this.#pieces.push(this.#prefix)
    this.#pieces.push(bytes, ...(end === 'cut' ? [] : [NEWLINE]))
    this.#isStart = end !== 'cut'
  }

  /** False when the reader is slow. */
  #flush(): boolean {
    const pieces = this.#pieces
    this.#pieces = []
    return pieces.length === 0 || this.#to.write(Buffer.concat(pieces))
  }
}
