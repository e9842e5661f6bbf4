import type { Readable } from 'node:stream'
import type { Formatter } from './formatter.ts'
import { LineSplitter } from './line-splitter.ts'
import type { LogRing } from './ring.ts'
import type { Sink } from './sink.ts'
import { Tail, type TailLine } from './tail.ts'
import type { StreamName, WorkerIdentity } from './types.ts'

/** The output of one worker, from its start until both streams are closed. */
export interface WorkerOutput {
  /**
   * Resolves when both streams have ended and their last, perhaps unfinished, line was taken: then
   * `tail` is complete. A grandchild that inherited a stream can keep it open: bound the wait and
   * call `destroy`. Never rejects.
   */
  readonly ended: Promise<void>
  /** The last lines of both streams, oldest first, harmless for a terminal. */
  tail(): readonly TailLine[]
  /** The worker has another slot from now on. */
  seat(slot: number): void
  /** Closes both streams, whoever else holds them, and so brings about `ended`; what was read until then is kept. */
  destroy(): void
}

/** Where the output goes. */
export interface OutputRoute {
  readonly formatter: Formatter
  readonly sinks: Readonly<Record<StreamName, Sink>>
  readonly ring: LogRing
  /** Wall clock in ms. */
  readonly now: () => number
}

/**
 * Pumps both streams of a worker through splitter, tail, ring, format and sink. They are never paused:
 * a worker must not wait for a reader of its log, and Node discards unread output of an exited child.
 *
 * @param stdout null where the process has no such pipe, as in `ChildProcess`.
 */
export function attachWorkerOutput(
  route: OutputRoute,
  worker: WorkerIdentity,
  stdout: Readable | null,
  stderr: Readable | null,
): WorkerOutput {
  const tail = new Tail()
  const seats: ((slot: number) => void)[] = []
  const both = [pump(route, worker, 'stdout', stdout, tail, seats), pump(route, worker, 'stderr', stderr, tail, seats)]
  return {
    seat(slot) {
      for (const seat of seats) seat(slot)
    },
    ended: Promise.all(both).then(() => undefined),
    tail: () => tail.lines(),
    destroy() {
      stdout?.destroy()
      stderr?.destroy()
    },
  }
}

/** Resolves when the stream has ended, failed or been closed, whichever comes first. */
async function pump(
  { formatter, sinks, ring, now }: OutputRoute,
  worker: WorkerIdentity,
  stream: StreamName,
  readable: Readable | null,
  tail: Tail,
  seats: ((slot: number) => void)[],
): Promise<void> {
  if (readable === null || readable.closed) return
  let channel = formatter.channel(worker, stream)
  const sink = sinks[channel.to]
  let source = sink.source(worker.slot)
  let seated = worker.slot
  // Of the chunk: a clock is read once for many lines.
  let at = 0
  seats.push((slot) => {
    seated = slot
    channel = formatter.channel({ ...worker, slot }, stream)
    source = sink.source(slot)
  })
  const splitter = new LineSplitter((bytes, end) => {
    tail.push(stream, bytes)
    ring.push(at, seated, worker.pid, stream, bytes, end === 'cut')
    sink.push(source, channel.render(bytes, end), channel.closesPieces || end === 'newline')
  })
  await new Promise<void>((resolve) => {
    readable.on('data', (chunk: Buffer) => {
      at = now()
      splitter.push(chunk)
    })
    // A read error ends the stream like its end does: 'close' follows.
    readable.on('error', () => undefined)
    readable.once('end', resolve)
    readable.once('close', resolve)
  })
  at = now()
  splitter.flush()
}
