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

/** Where output goes instead of stdout and stderr. */
export interface LogFiles {
  /** Absolute path; all that would go to stdout and stderr. */
  readonly file: string
  /** Absolute path; all that would go to stderr. Undefined: it goes to `file` too. */
  readonly errorFile: string | undefined
  /** A file that would become larger is rotated first, in bytes; 0: never because of its size. */
  readonly maxBytes: number
  /** A new file for each such stretch of time, in ms, counted from midnight local time; 0: never because of its age. */
  readonly everyMs: number
  /** So many older files are kept. */
  readonly keep: number
  /** Older files that were last written to so many ms ago are removed; 0: never. */
  readonly maxAgeMs: number
}

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
