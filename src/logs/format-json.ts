import { hostname } from 'node:os'
import type { FormatOptions, Formatter } from './formatter.ts'
import { withoutReturn } from './line-splitter.ts'
import { LEVEL_NUMBERS, readRecord } from './record.ts'
import type { LogFields, StreamName, WorkerIdentity } from './types.ts'

/** Of a line that tells none itself. */
const LEVELS: Readonly<Record<StreamName, number>> = { stdout: LEVEL_NUMBERS.info, stderr: LEVEL_NUMBERS.error }

/** The keys of pino's envelope. A field of that name would make a second key of the same name. */
const ENVELOPE: ReadonlySet<string> = new Set(['level', 'time', 'pid', 'hostname', 'name', 'msg'])

/** DEL and C1 are legal in JSON and harmful in a terminal. */
const UNESCAPED = /[\u007F-\u009F]/u
const EVERY_UNESCAPED = /[\u007F-\u009F]/gu

/**
 * For machines: one object a line, in pino's shape. Worker lines are put together by hand
 * (only `msg` needs escaping), supervisor records go through pino, which is loaded here and in no
 * other format: it costs memory. The object that a logger wrote stands under `app` as it was, so that it
 * can neither forge a key of the envelope nor lose a digit; its level, time and message are the line's.
 */
export async function createJsonFormatter(options: Pick<FormatOptions, 'name' | 'now' | 'split'>): Promise<Formatter> {
  const { pino } = await import('pino')
  const millis = createMillis(options.now)
  let written = ''
  const records = pino(
    { name: options.name, level: 'debug', timestamp: () => `,"time":${millis()}` },
    { write: (line: string) => void (written = line) },
  )
  return {
    recordsTo: options.split === true ? 'stderr' : 'stdout',
    channel: (worker, stream) => {
      const head = `{"level":${LEVELS[stream]},"time":`
      const middle = `,${envelope(worker, stream, options.name)},"msg":`
      return {
        to: options.split === true ? stream : 'stdout',
        closesPieces: true,
        render(bytes, end) {
          if (end === 'cut') return `${head}${millis()}${middle}${quote(bytes.toString('utf8'))},"cut":true}`
          const record = readRecord(bytes)
          if (record === undefined) return `${head}${millis()}${middle}${quote(withoutReturn(bytes).toString('utf8'))}}`
          const { level, timeMs, msg, text } = record
          return `{"level":${LEVEL_NUMBERS[level]},"time":${timeMs ?? millis()}${middle}${quote(msg)},"app":${escapeControls(text)}}`
        },
      }
    },
    record(level, msg, fields) {
      records[level](withoutEnvelope(fields), msg)
      return [escapeControls(written.trimEnd())]
    },
  }
}

/** What is the same in every line of one stream, as the inside of an object. */
function envelope(worker: WorkerIdentity, stream: StreamName, name: string): string {
  const { pid, slot, generation } = worker
  return JSON.stringify({ pid, hostname: hostname(), name, slot, generation, stream }).slice(1, -1)
}

function quote(text: string): string {
  return escapeControls(JSON.stringify(text))
}

/** JSON text of which no byte is a control character. */
export function escapeControls(json: string): string {
  if (!UNESCAPED.test(json)) return json
  return json.replace(EVERY_UNESCAPED, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)
}

function withoutEnvelope(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [ENVELOPE.has(key) ? `${key}_` : key, value]))
}

/** The time in milliseconds as text; in a flood many lines share one. */
function createMillis(now: () => number): () => string {
  let at = NaN
  let text = ''
  return () => {
    const time = now()
    if (time !== at) {
      at = time
      text = String(Math.trunc(time))
    }
    return text
  }
}
