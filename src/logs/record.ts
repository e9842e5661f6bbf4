/** Lines that loggers write: pino, bunyan and winston as JSON, told apart from everything else. */
import { withoutReturn } from './line-splitter.ts'

/** The levels of pino, lightest first; those of bunyan are the same, those of winston and syslog are mapped to them. */
export const RECORD_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const

export type RecordLevel = (typeof RECORD_LEVELS)[number]

/** The number of a level, as pino and bunyan write it. */
export const LEVEL_NUMBERS: Readonly<Record<RecordLevel, number>> = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 }

/** A line of a logger. */
export interface AppRecord {
  readonly level: RecordLevel
  /** As the app tells it, in ms since 1970; undefined: it tells none. */
  readonly timeMs: number | undefined
  readonly msg: string
  /** The object, as JSON text: as the app wrote it. */
  readonly text: string
  /** The object. It came from outside: to be read by key and never to be copied into another. */
  readonly object: Readonly<Record<string, unknown>>
}

/** Names that loggers give to levels, in lower case: pino, bunyan, winston (npm and syslog levels). */
const WORDS: ReadonlyMap<string, RecordLevel> = new Map<string, RecordLevel>([
  ...RECORD_LEVELS.map((level) => [level, level] as const),
  ['silly', 'trace'],
  ['verbose', 'debug'],
  ['http', 'debug'],
  ['notice', 'info'],
  ['warning', 'warn'],
  ['err', 'error'],
  ['crit', 'fatal'],
  ['alert', 'fatal'],
  ['emerg', 'fatal'],
])

const OPEN = 123
const CLOSE = 125

/** Below it a number is taken for seconds (pino's `unixTime`): as milliseconds it would be before March 1973. */
const LEAST_MS = 1e11
/** The last moment that a `Date` can have. */
const MOST_MS = 8.64e15
/** A date in ISO 8601, or with a space for the T, which is what most make of winston's timestamp. */
const DATE = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.,+Z -]{0,24}$/

/**
 * Reads a line if it is one JSON object that has a known `level` and a message or a time, as pino, bunyan and winston
 * write it. Anything else gives undefined, at the cost of a look at two bytes where it is no object.
 * Nothing that can be in the line does harm: the parser neither recurses nor runs code, `__proto__` is a key as any
 * other, of a key that comes twice the last counts.
 *
 * @param bytes a whole line, so at most the limit of the splitter (64 KiB); without its newline
 */
export function readRecord(bytes: Buffer): AppRecord | undefined {
  if (bytes[0] !== OPEN) return undefined
  const line = withoutReturn(bytes)
  if (line[line.length - 1] !== CLOSE) return undefined
  const text = line.toString('utf8')
  const object = parse(text)
  if (object === undefined) return undefined
  const level = levelOf(object['level'])
  if (level === undefined) return undefined
  const timeMs = timeOf(object['time'] ?? object['timestamp'])
  const msg = object['msg'] ?? object['message']
  if (typeof msg === 'string') return { level, timeMs, msg, text, object }
  return timeMs === undefined ? undefined : { level, timeMs, msg: '', text, object }
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    // It begins with a brace, so it is an object.
    return value as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}

function levelOf(value: unknown): RecordLevel | undefined {
  if (typeof value === 'string') return value.length > 16 ? undefined : WORDS.get(value.toLowerCase())
  if (typeof value !== 'number' || value < 1 || value > 100) return undefined
  // A level of the app's own counts as the one below it, as with pino.
  const index = Math.floor(value / 10) - 1
  return RECORD_LEVELS[Math.min(Math.max(index, 0), RECORD_LEVELS.length - 1)]
}

function timeOf(value: unknown): number | undefined {
  const ms = typeof value === 'string' ? parseDate(value) : typeof value === 'number' ? (value < LEAST_MS ? value * 1000 : value) : Number.NaN
  return ms >= 0 && ms <= MOST_MS ? Math.trunc(ms) : undefined
}

function parseDate(text: string): number {
  return DATE.test(text) ? Date.parse(text.replace(',', '.')) : Number.NaN
}
