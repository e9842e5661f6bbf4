/** What a client asks for in the query of /v1/logs, read with as little trust as a body. */
import type { LogQuery } from '../logs/ring.ts'
import { METHODS } from './methods.ts'
import { refusal, type Answer } from './wire-error.ts'

/** The lines that are asked for, and how; or why they cannot be had. */
export type LogRequest =
  | { readonly ok: true; readonly query: LogQuery; readonly isStream: boolean; readonly isFollowed: boolean }
  | { readonly ok: false; readonly answer: Answer }

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
const USUAL_LINES = 100
const MOST_LINES = 100_000
/** A document is made as a whole. */
const MOST_IN_DOCUMENT = 1000

/**
 * @param pid of the supervisor: an id of another one is none of ours, and all lines are new
 */
export function readLogRequest(given: URLSearchParams, acceptsStream: boolean, pid: number): LogRequest {
  const allowed = Object.keys(METHODS.logs.query)
  const unknown = [...given.keys()].find((key) => !allowed.includes(key))
  if (unknown !== undefined) return wrong(`unknown field ${JSON.stringify(unknown.slice(0, 100))}`, `It takes: ${allowed.join(', ')}.`)
  const follow = given.get('follow')
  if (follow !== null && !['1', '0', 'true', 'false', ''].includes(follow)) return wrong('follow must be 1 or 0')
  const isFollowed = follow === '1' || follow === 'true' || follow === ''
  const isStream = isFollowed || acceptsStream
  const most = isStream ? MOST_LINES : MOST_IN_DOCUMENT
  const n = readCount(given.get('n') ?? String(USUAL_LINES), most)
  if (n === undefined) return wrong(`n must be 0 to ${most}`)
  const worker = given.get('worker')
  const slot = worker === null ? undefined : readCount(worker, 1023)
  if (worker !== null && slot === undefined) return wrong('worker must be the number of a slot')
  const level = LEVELS.find((one) => one === given.get('level'))
  if (given.has('level') && level === undefined) return wrong(`level must be one of ${LEVELS.join(', ')}`)
  const since = given.get('since')
  const sinceMs = since === null ? undefined : Date.parse(since.slice(0, 40))
  if (Number.isNaN(sinceMs)) return wrong('since must be a time in ISO 8601')
  const after = given.get('after')
  const [, from, line] = after === null ? [] : (/^(\d{1,10})-(\d{1,15})$/.exec(after) ?? [])
  if (after !== null && line === undefined) return wrong('after must be the id of an event')
  const start = after === null ? { n } : Number(from) === pid ? { from: Number(line) } : { n: MOST_LINES }
  return { ok: true, isStream, isFollowed, query: { ...start, worker: slot, level, sinceMs } }
}

function readCount(text: string, most: number): number | undefined {
  return /^\d{1,6}$/.test(text) && Number(text) <= most ? Number(text) : undefined
}

function wrong(message: string, hint?: string): { readonly ok: false; readonly answer: Answer } {
  return { ok: false, answer: refusal(400, message, hint) }
}
