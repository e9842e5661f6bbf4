import type { Formatter } from './formatter.ts'
import type { LogRing } from './ring.ts'
import type { Sink, Source } from './sink.ts'
import type { LogFields, LogLevel, Verbosity } from './types.ts'

/** The supervisor's own log. `msg` is a sentence for people, `fields` are for machines (format json). */
export interface Logger {
  error(msg: string, fields?: LogFields): void
  warn(msg: string, fields?: LogFields): void
  info(msg: string, fields?: LogFields): void
  debug(msg: string, fields?: LogFields): void
  /** Whether records of this level are written, for those that are costly to make. */
  enabled(level: LogLevel): boolean
}

const WEIGHTS: Readonly<Record<LogLevel, number>> = { error: 50, warn: 40, info: 30, debug: 20 }
const THRESHOLDS: Readonly<Record<Verbosity, number>> = { quiet: WEIGHTS.warn, normal: WEIGHTS.info, verbose: WEIGHTS.debug }

/** What a {@link Logger} needs. */
export interface LoggerOptions {
  readonly formatter: Formatter
  readonly sink: Sink
  readonly ring: LogRing
  readonly verbosity: Verbosity
  /** Wall clock in ms. */
  readonly now: () => number
}

/** Makes the logger that renders with `formatter`, writes to `sink` and is remembered in `ring`. */
export function createLogger({ formatter, sink, ring, verbosity, now }: LoggerOptions): Logger {
  const source: Source = sink.source(undefined)
  const enabled = (level: LogLevel): boolean => WEIGHTS[level] >= THRESHOLDS[verbosity]
  const at =
    (level: LogLevel) =>
    (msg: string, fields: LogFields = {}): void => {
      if (!enabled(level)) return
      ring.pushOwn(now(), level, msg)
      for (const line of formatter.record(level, msg, fields)) sink.push(source, line, true)
    }
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug'), enabled }
}
