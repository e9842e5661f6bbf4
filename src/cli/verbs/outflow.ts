/** A stream that is written to as fast as it is read, and that may be closed by its reader. */
import type { Writable } from 'node:stream'
import type { Stream } from '../streams.ts'

export class Outflow {
  readonly #stream: Stream
  /** Fulfilled when the reader has gone: `| head` has seen enough. */
  readonly closed: Promise<void>
  #isClosed = false

  constructor(stream: Stream) {
    this.#stream = stream
    this.closed = new Promise((resolve) => {
      const close = (): void => {
        this.#isClosed = true
        resolve()
      }
      if (isWritable(stream)) stream.on('error', close).on('close', close)
    })
  }

  /** Resolves when more may be written. */
  async write(text: string): Promise<void> {
    const { closed } = this
    const stream = this.#stream
    if (this.#isClosed || text === '' || stream.write(text) !== false || !isWritable(stream)) return
    await Promise.race([closed, new Promise<void>((resolve) => void stream.once('drain', resolve))])
  }
}

/** What tests give has no more than `write`. */
function isWritable(stream: Stream | Writable): stream is Writable {
  return 'once' in stream
}
