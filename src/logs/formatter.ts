import type { LineEnd, LogFields, LogFormat, LogLevel, StreamName, WorkerIdentity } from './types.ts'

/** How the lines of one stream of one worker are written. */
export interface Channel {
  /** Where they go. */
  readonly to: StreamName
  /** Whether pieces and unfinished lines get a newline of their own; otherwise only what had one gets one. */
  readonly closesPieces: boolean
  /** One piece as it is written, without the newline. */
  render(bytes: Buffer, end: LineEnd): string | Buffer
}

/** How everything is written: one object for each format. */
export interface Formatter {
  /** Where supervisor records go. */
  readonly recordsTo: StreamName
  channel(worker: WorkerIdentity, stream: StreamName): Channel
  /** A supervisor record as lines, without newlines; what stands on a new line of `msg` is a line of its own. */
  record(level: LogLevel, msg: string, fields: LogFields): readonly string[]
}

/** What the formats need to know. */
export interface FormatOptions {
  readonly format: LogFormat
  /** Whether the reader is a terminal that wants colours. */
  readonly color: boolean
  /** Name of the app. */
  readonly name: string
  /** Number of slots, for the width of their column. */
  readonly size: number
  /** Whether what belongs to stderr goes there in the format json too; otherwise all of it goes to stdout. */
  readonly split?: boolean
  /** Wall clock in milliseconds. */
  readonly now: () => number
}
