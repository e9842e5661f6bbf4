/** Lines of logs as the screen shows them: those of loggers taken apart. */
import { prettyRecord } from '../logs/pretty-record.ts'
import { readRecord } from '../logs/record.ts'
import type { LogEntry } from '../protocol/control.ts'
import type { Tone } from './event-text.ts'

/** One line of the screen. The text is not yet harmless. */
export interface LogLine {
  readonly at: string
  readonly slot: number | null
  readonly stream: LogEntry['stream']
  readonly tone: Tone
  readonly text: string
}

/** Of one entry, so that a stack fills no screen. */
const MOST_LINES = 20
/** Longer than any screen is wide. */
const MOST_TEXT = 2000

const TONES: Readonly<Record<string, Tone>> = { warn: 'warn', error: 'bad', fatal: 'bad' }

export function logLines({ at, slot, stream, level, text }: LogEntry): readonly LogLine[] {
  const record = readRecord(Buffer.from(text))
  // The time stands in a column of its own.
  const shown = record === undefined ? text.slice(0, MOST_TEXT).split('\n') : prettyRecord({ ...record, timeMs: undefined }, false)
  const told = level ?? record?.level
  const tone = told === undefined ? 'plain' : (TONES[told] ?? 'plain')
  return shown.slice(0, MOST_LINES).map((line) => ({ at, slot, stream, tone, text: line.slice(0, MOST_TEXT) }))
}

/** Said in the place of lines that nobody can read any more. */
export function missedLine(count: number, at: string): LogLine {
  return { at, slot: null, stream: 'everycore', tone: 'warn', text: `${count} ${count === 1 ? 'line' : 'lines'} missed: they came quicker than they could be shown` }
}
