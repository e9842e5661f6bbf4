import type { Readable, Writable } from 'node:stream'
import { assertNever } from '../base/assert-never.ts'
import type { FileTrouble } from './file-outlet.ts'
import { createFormatter } from './format.ts'
import { createLogger, type Logger } from './logger.ts'
import { LogRing } from './ring.ts'
import { sanitize } from './sanitize.ts'
import type { Sink, SinkEvent, SinkStats } from './sink.ts'
import { openTargets } from './targets.ts'
import type { LogFiles, LogFormat, StreamName, Verbosity, WorkerIdentity } from './types.ts'
import { attachWorkerOutput, type WorkerOutput } from './worker-output.ts'

export type { Logger } from './logger.ts'
export type { LogBatch, LogFilter, LogFollower, LogQuery, LogRecord, LogRing } from './ring.ts'
export type { SinkStats } from './sink.ts'
export type { TailLine } from './tail.ts'
export type { LogFiles, LogFields, LogFormat, LogLevel, StreamName, Verbosity, WorkerIdentity } from './types.ts'
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
  /** Where the lines go instead; then stderr gets only what must be seen at once. */
  readonly files?: LogFiles | undefined
  /** How much is remembered for those who ask later, in bytes. Default: 1 MiB. */
  readonly ringBytes?: number
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
  /** The newest lines of all. */
  readonly ring: LogRing
  /** Writes lines of the supervisor as they are: the first output, for people. */
  print(lines: readonly string[]): void
  /** Writes lines to stderr that otherwise only stand in a file: why the run has failed. Nothing happens where there is no file. */
  tellAside(lines: readonly string[]): void
  /** Opens the files anew, after somebody has moved them. */
  reopen(): void
  /** Starts to take a worker's output; `null` where it has no such pipe. */
  attachWorker(worker: WorkerIdentity, stdout: Readable | null, stderr: Readable | null): WorkerOutput
  /** Resolves when all is written, cannot be written, or after the time. To be awaited before the process exits. */
  flush(timeoutMs: number): Promise<void>
  stats(): LogsStats
}

/**
 * Opens the room. From then on nobody else should write to the two streams.
 *
 * @throws EverycoreError ERR_EVERYCORE_LOG_FILE when a file cannot be opened
 */
export async function createLogs(options: LogsOptions): Promise<Logs> {
  const { now, verbosity, files } = options
  const formatter = await createFormatter({ ...options, split: files?.errorFile !== undefined })
  const ring = new LogRing(options.ringBytes)
  const warn = (text: string, fields: object): void => {
    logger.warn(text, { ...fields })
    tellAside([text])
  }
  const { sinks, aside, reopen } = await openTargets({
    ...options,
    onEvent: (event) => report(warn, event, files === undefined ? 'reader' : 'disk'),
    onTrouble: (path, trouble) => reportTrouble(warn, path, trouble),
  })
  const own = sinks[formatter.recordsTo]
  const source = own.source(undefined)
  const logger = createLogger({ formatter, sink: own, ring, verbosity, now })
  const asideSource = aside?.source(undefined)
  const tellAside = (text: readonly string[]): void => {
    if (aside === undefined || asideSource === undefined) return
    for (const line of text) aside.push(asideSource, `everycore: ${sanitize(line, false)}`, true)
  }
  return {
    logger,
    ring,
    print(text) {
      for (const line of text) own.push(source, line, true)
    },
    tellAside,
    reopen,
    attachWorker: (worker, out, err) => attachWorkerOutput({ formatter, sinks, ring, now }, worker, out, err),
    async flush(timeoutMs) {
      await Promise.all([sinks.stdout, sinks.stderr, aside].map(async (sink) => sink?.flush(timeoutMs)))
    },
    stats: () => mergeStats(sinks.stdout, sinks.stderr),
  }
}

type Warn = (text: string, fields: object) => void

/** Tells the operator what happened to a sink, on whatever still works. */
function report(warn: Warn, event: SinkEvent, taker: 'reader' | 'disk'): void {
  const { sink } = event
  switch (event.name) {
    case 'drained':
      return warn(`${lines(event.droppedLines)} dropped (${taker} too slow)`, { sink, dropped: event.droppedLines })
    case 'failing':
      return warn(`${sink} cannot be written (${event.code}): lines are dropped until it can`, { sink, code: event.code })
    case 'recovered': {
      const { code, droppedLines: dropped } = event
      return warn(`${sink} can be written again: ${lines(dropped)} dropped (${code})`, { sink, code, dropped })
    }
    case 'closed':
      return warn(`${sink} is closed (${event.code}): its lines are dropped from now on`, { sink, code: event.code })
    default:
      return assertNever(event)
  }
}

function reportTrouble(warn: Warn, path: string, { name, code }: FileTrouble): void {
  switch (name) {
    case 'not reopened':
      return warn(`${path} was moved and cannot be opened anew (${code}): lines go on to the file that was moved`, { sink: path, code })
    case 'not rotated':
      return warn(`${path} cannot be rotated (${code}): it grows on; next try in a minute`, { sink: path, code })
    default:
      return assertNever(name)
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
