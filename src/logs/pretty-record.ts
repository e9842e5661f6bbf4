/** A line of a logger, for people: time, level, message, the rest as `key=value`, stacks on lines of their own. */
import type { AppRecord, RecordLevel } from './record.ts'
import { sanitize, SGR_RESET } from './sanitize.ts'

/** SGR codes. */
const COLOURS: Readonly<Record<RecordLevel, number>> = { trace: 2, debug: 2, info: 32, warn: 33, error: 31, fatal: 91 }
const DIM = 2

/** What every line has, and what stands elsewhere in it. */
const TOLD: ReadonlySet<string> = new Set(['level', 'time', 'timestamp', 'msg', 'message', 'pid', 'hostname', 'name', 'v', 'stack'])
/** Of an error with a stack: its first line says them. */
const TOLD_BY_STACK: ReadonlySet<string> = new Set(['stack', 'message', 'type', 'name'])
const ERROR_KEYS: readonly string[] = ['err', 'error']

/** A value that needs no quotes. */
const PLAIN = /^[\w./:@%+-]{1,200}$/
/** The longest that one value is shown; the line itself has it whole. */
const MAX_VALUE = 1000
/** The most that one line of the app may become, so that a line of nothing but `\n` fills no screen. */
const MAX_LINES = 100

/**
 * The record as lines without newlines. Whatever is in it is harmless for a terminal.
 *
 * @param color whether to write colours, and to let those of the app pass
 */
export function prettyRecord(record: AppRecord, color: boolean): readonly string[] {
  const paint = (sgr: number, text: string): string => (color ? `\u001B[${sgr}m${text}${SGR_RESET}` : text)
  const time = record.timeMs === undefined ? '' : `${paint(DIM, clock(record.timeMs))} `
  const level = paint(COLOURS[record.level], record.level.toUpperCase().padEnd(5))
  const [first = '', ...more] = record.msg.split('\n', MAX_LINES)
  const { fields, stack } = details(record.object)
  const pairs = fields.map(([key, value]) => ` ${paint(DIM, `${sanitize(word(key), false)}=`)}${sanitize(word(value), false)}`).join('')
  const begin = `${time}${level} ${sanitize(first, color)}${more.length === 0 ? pairs : ''}`
  const rest = [...more, ...(more.length === 0 || pairs === '' ? [] : [undefined]), ...stack]
  const lines = [begin, ...rest.map((line) => `  ${line === undefined ? pairs.trimStart() : sanitize(line, color)}`)]
  if (lines.length <= MAX_LINES) return lines
  return [...lines.slice(0, MAX_LINES - 1), `  … ${lines.length - MAX_LINES + 1} more lines`]
}

/** Local time, as `13:05:59.123`. */
export function clock(ms: number): string {
  const at = new Date(ms)
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}

interface Details {
  readonly fields: readonly (readonly [string, unknown])[]
  readonly stack: readonly string[]
}

function details(object: Readonly<Record<string, unknown>>): Details {
  const fields: (readonly [string, unknown])[] = []
  const stacks: string[] = []
  for (const [key, value] of Object.entries(object)) {
    if (ERROR_KEYS.includes(key) && hasStack(value)) {
      stacks.push(value.stack)
      for (const [name, detail] of Object.entries(value)) if (!TOLD_BY_STACK.has(name)) fields.push([`${key}.${name}`, detail])
    } else if (!TOLD.has(key)) {
      fields.push([key, value])
    }
  }
  // winston puts the stack of an error beside the message.
  if (typeof object['stack'] === 'string') stacks.push(object['stack'])
  return { fields, stack: stacks.flatMap((stack) => stack.split('\n', MAX_LINES)) }
}

function hasStack(value: unknown): value is { readonly stack: string } {
  return typeof value === 'object' && value !== null && 'stack' in value && typeof value.stack === 'string'
}

function word(value: unknown): string {
  if (typeof value === 'string' && PLAIN.test(value)) return value
  const text = json(value)
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    // Nested deeper than the stack of this process allows.
    return '…'
  }
}
