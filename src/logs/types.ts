/** The vocabulary of the log room. */

/** Which of a process's two output streams. */
export type StreamName = 'stdout' | 'stderr'

/** How output is written: for people, for machines, or as the workers wrote it. */
export type LogFormat = 'pretty' | 'json' | 'raw'

/** How much the supervisor tells: quiet = warn and above, normal = info and above, verbose = everything. */
export type Verbosity = 'quiet' | 'normal' | 'verbose'

/** The weight of a supervisor record, heaviest first. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** What a record carries for machines. Keys of pino's own envelope (`pid`, `msg`, ...) get a trailing `_`. */
export type LogFields = Readonly<Record<string, unknown>>

/** Whose output a line is. */
export interface WorkerIdentity {
  readonly slot: number
  readonly pid: number
  readonly generation: number
}

/**
 * How a piece of output ended: with its newline, at the length limit (the next piece continues the
 * line), or because the stream ended in the middle of the line.
 */
export type LineEnd = 'newline' | 'cut' | 'eof'
