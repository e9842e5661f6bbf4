/**
 * stdout and stderr of the app, which are pipes to the primary. Two things must hold at once: a paused
 * primary stops no worker, so writes may not block; and `process.exit()` loses no byte, although Node
 * then discards what libuv and the stream still have queued. So writes stay asynchronous, as under
 * plain node, and what is left at the end is written synchronously.
 */
import { writeSync } from 'node:fs'

interface PipeHandle {
  /** Bytes that libuv has not handed to the kernel yet. */
  readonly writeQueueSize: number
  setBlocking(blocking: boolean): number
}

type Done = (error?: Error | null) => void

/** `net.Socket` as process.stdout has it for a pipe; the same on Node 20 to 26. */
interface PipeStream {
  readonly fd: number
  readonly _handle?: PipeHandle | null
  readonly _writableState: { getBuffer(): readonly { readonly chunk: Buffer | string; readonly encoding: BufferEncoding }[] }
  _write(data: Buffer | string, encoding: BufferEncoding | 'buffer', done: Done): void
  _writev?: unknown
  write(data: Buffer | Uint8Array | string, ...rest: unknown[]): boolean
  on(name: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown
  listenerCount(name: 'error'): number
}

/** Takes effect when the app first asks for a stream: to create one costs more than the rest of the preload. */
export function keepOutputWhole(): void {
  const outputs: Output[] = []
  for (const name of ['stdout', 'stderr'] as const) {
    const original = Object.getOwnPropertyDescriptor(process, name)
    if (original?.get === undefined || original.configurable !== true) continue
    Object.defineProperty(process, name, {
      ...original,
      get(): unknown {
        Object.defineProperty(process, name, original)
        const stream = original.get?.call(process) as PipeStream
        if (typeof stream._handle?.setBlocking === 'function') outputs.push(new Output(stream))
        return stream
      },
    })
  }
  process.on('exit', () => {
    for (const output of outputs) output.finish()
  })
}

class Output {
  readonly #stream: PipeStream
  /** What libuv is writing. The stream gives it one piece at a time. */
  #inFlight: Buffer | undefined

  constructor(stream: PipeStream) {
    this.#stream = stream
    const write = stream._write.bind(stream)
    stream._write = (data, encoding, done) => {
      const bytes = typeof data === 'string' ? Buffer.from(data, encoding as BufferEncoding) : data
      this.#inFlight = bytes
      write(bytes, 'buffer', (error) => {
        this.#inFlight = undefined
        done(error)
      })
    }
    stream._writev = undefined
    surviveReader(stream)
  }

  /** Writes what is left, and from now on everything, synchronously. */
  finish(): void {
    const stream = this.#stream
    const handle = stream._handle
    if (!handle) return
    const inFlight = this.#inFlight
    const unsent = inFlight === undefined ? 0 : Math.min(handle.writeQueueSize, inFlight.length)
    handle.setBlocking(true)
    if (inFlight !== undefined && unsent > 0) writeAll(stream.fd, inFlight.subarray(inFlight.length - unsent))
    for (const { chunk, encoding } of stream._writableState.getBuffer()) writeAll(stream.fd, toBytes(chunk, encoding))
    // Handlers of 'exit' that come later may print too.
    stream.write = (data, encoding) => {
      writeAll(stream.fd, toBytes(data, encoding))
      return true
    }
  }
}

function toBytes(data: Buffer | Uint8Array | string, encoding: unknown): Uint8Array {
  if (typeof data !== 'string') return data
  return Buffer.from(data, typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : 'utf8')
}

function writeAll(fd: number, bytes: Uint8Array): void {
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written)
  } catch {
    // The reader is gone.
  }
}

/**
 * The reader is the primary. When it is killed, a write fails with EPIPE, perhaps before the worker has
 * noticed anything; that must not end the requests in flight.
 */
function surviveReader(stream: PipeStream): void {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE' && stream.listenerCount('error') === 1) throw error
  })
}
