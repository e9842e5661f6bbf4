import type { Readable, Writable } from 'node:stream'
import { assertNever } from '../base/assert-never.ts'
import { createFormatter } from './format.ts'
import { createLogger, type Logger } from './logger.ts'
import { createOutlet, sameTarget } from './outlet.ts'
import { Sink, type SinkEvent, type SinkStats } from './sink.ts'
import type { LogFormat, StreamName, Verbosity, WorkerIdentity } from './types.ts'
import { attachWorkerOutput, type WorkerOutput } from './worker-output.ts'

export type { Logger } from './logger.ts'
export type { SinkStats } from './sink.ts'
export type { TailLine } from './tail.ts'
export type { LogFields, LogFormat, LogLevel, StreamName, Verbosity, WorkerIdentity } from './types.ts'
export type { WorkerOutput } from './worker-output.ts'

/** What the room needs to know. */
export interface LogsOptions {
  readonly format: LogFormat
  /** Colours in the format pretty; false for anything but a terminal. */
  readonly color: boolean
  /** Name of the app, for the format json. */
  readonly name: string
  /** Number of slots. */
  readonly size: number
  /** `process.stdout` and `process.stderr`, or what stands for them. */
  readonly stdout: Writable
  readonly stderr: Writable
  readonly verbosity: Verbosity
  /** Wall clock in milliseconds. */
  readonly now: () => number
  /** The most that may wait for a slow reader of each stream, in bytes. Default: 4 MiB. */
  readonly maxBufferedBytes?: number
}

/** The numbers of all sinks together, and of each. */
export interface LogsStats {
  readonly droppedLines: number
  /** Without the supervisor's own lines. */
  readonly droppedBySlot: Readonly<Record<number, number>>
  readonly writtenLines: number
  readonly queuedBytes: number
  /** One and the same when both streams lead to the same place. */
  readonly sinks: Readonly<Record<StreamName, SinkStats>>
}

/** The log room: what the supervisor says and what the workers print. */
export interface Logs {
  readonly logger: Logger
  /** Writes lines of the supervisor as they are: the first output, for people. */
  print(lines: readonly string[]): void
  /** Starts to take a worker's output; `null` where it has no such pipe. */
  attachWorker(worker: WorkerIdentity, stdout: Readable | null, stderr: Readable | null): WorkerOutput
  /** Resolves when all is written, cannot be written, or after the time. To be awaited before the process exits. */
  flush(timeoutMs: number): Promise<void>
  stats(): LogsStats
}

/** Opens the room. From then on nobody else should write to the two streams. */
export async function createLogs(options: LogsOptions): Promise<Logs> {
  const formatter = await createFormatter(options)
  const open = (name: StreamName, stream: Writable): Sink =>
    new Sink({
      name,
      outlet: createOutlet(stream),
      now: options.now,
      onEvent: (event) => report(logger, event),
      ...(options.maxBufferedBytes === undefined ? {} : { maxBufferedBytes: options.maxBufferedBytes }),
    })
  const stdout = open('stdout', options.stdout)
  // One sink for one place keeps the order of lines between the two streams.
  const stderr = sameTarget(options.stdout, options.stderr) ? stdout : open('stderr', options.stderr)
  const sinks = { stdout, stderr }
  const own = sinks[formatter.recordsTo]
  const source = own.source(undefined)
  const logger = createLogger(formatter, own, options.verbosity)
  return {
    logger,
    print(text) {
      for (const line of text) own.push(source, line, true)
    },
    attachWorker: (worker, out, err) => attachWorkerOutput({ formatter, sinks }, worker, out, err),
    async flush(timeoutMs) {
      await Promise.all([stdout.flush(timeoutMs), stderr.flush(timeoutMs)])
    },
    stats: () => mergeStats(stdout, stderr),
  }
}

/** Tells the operator what happened to a sink, on whatever sink still works. */
function report(logger: Logger, event: SinkEvent): void {
  const { sink } = event
  switch (event.name) {
    case 'drained':
      return logger.warn(`${lines(event.droppedLines)} dropped (reader too slow)`, { sink, dropped: event.droppedLines })
    case 'failing':
      return logger.warn(`${sink} cannot be written (${event.code}): lines are dropped until it can`, { sink, code: event.code })
    case 'recovered': {
      const { code, droppedLines: dropped } = event
      return logger.warn(`${sink} can be written again: ${lines(dropped)} dropped (${code})`, { sink, code, dropped })
    }
    case 'closed':
      return logger.warn(`${sink} is closed (${event.code}): its lines are dropped from now on`, { sink, code: event.code })
    default:
      return assertNever(event)
  }
}

function lines(count: number): string {
  return count === 1 ? '1 line' : `${count} lines`
}

function mergeStats(stdout: Sink, stderr: Sink): LogsStats {
  const sinks = { stdout: stdout.stats(), stderr: stderr.stats() }
  const droppedBySlot: Record<number, number> = {}
  const totals = { droppedLines: 0, writtenLines: 0, queuedBytes: 0 }
  for (const stats of stdout === stderr ? [sinks.stdout] : [sinks.stdout, sinks.stderr]) {
    totals.droppedLines += stats.droppedLines
    totals.writtenLines += stats.writtenLines
    totals.queuedBytes += stats.queuedBytes
    for (const [slot, dropped] of Object.entries(stats.droppedBySlot)) {
      droppedBySlot[Number(slot)] = (droppedBySlot[Number(slot)] ?? 0) + dropped
    }
  }
  return { ...totals, droppedBySlot, sinks }
}
