/** What `everycore logs` was asked for. */
import { EverycoreError } from '../../base/errors.ts'
import { nearest } from '../../base/nearest.ts'
import { parseDuration } from '../../base/units.ts'
import { RECORD_LEVELS } from '../../logs/record.ts'
import { isSet, textFlag, type VerbCall } from './call.ts'

export interface LogWish {
  /** How many of the newest lines. */
  readonly lines: number
  readonly follow: boolean
  readonly pattern: RegExp | undefined
  /** What the supervisor looks for: slot, level, time. */
  readonly query: Readonly<Record<string, string>>
}

/** The most that a supervisor is asked for. */
export const MOST_LINES = 100_000
const USUAL_LINES = 100
const MOST_SLOT = 1023

/** @throws EverycoreError ERR_EVERYCORE_USAGE */
export function readLogWish(call: VerbCall, nowMs: number): LogWish {
  const [worker, level, since, grep, lines] = ['worker', 'level', 'since', 'grep', 'lines'].map((flag) => textFlag(call, flag))
  return {
    lines: lines === undefined ? (since === undefined ? USUAL_LINES : MOST_LINES) : count('-n', lines, MOST_LINES),
    follow: isSet(call, 'follow'),
    pattern: grep === undefined ? undefined : patternOf(grep),
    query: {
      ...(worker !== undefined && { worker: String(count('--worker', worker, MOST_SLOT)) }),
      ...(level !== undefined && { level: levelOf(level) }),
      ...(since !== undefined && { since: timeOf(since, nowMs) }),
    },
  }
}

function count(flag: string, text: string, most: number): number {
  if (/^\d{1,6}$/.test(text) && Number(text) <= most) return Number(text)
  throw usage(`${flag}: "${text}" is not a number from 0 to ${most}`)
}

function levelOf(text: string): string {
  const level = RECORD_LEVELS.find((one) => one === text.toLowerCase())
  if (level !== undefined) return level
  const meant = nearest(text, RECORD_LEVELS)
  throw usage(`--level: "${text}" is not a level`, meant === undefined ? `There are ${RECORD_LEVELS.join(', ')}.` : `Did you mean ${meant}?`)
}

/** A bare number would be too easy to misread. */
function timeOf(text: string, nowMs: number): string {
  const agoMs = parseDuration(text)
  const at = agoMs === undefined ? (/^\d{4}-\d\d/.test(text) ? Date.parse(text) : Number.NaN) : nowMs - agoMs
  if (Number.isFinite(at) && at >= 0) return new Date(at).toISOString()
  throw usage(`--since: "${text}" is not a time`, 'Use how long ago, 10m or 2h, or a date, 2026-01-31 or 2026-01-31T12:00.')
}

function patternOf(text: string): RegExp {
  try {
    return new RegExp(text, 'u')
  } catch (error) {
    throw usage(`--grep: "${text}" is not a regular expression`, error instanceof Error ? error.message : undefined)
  }
}

function usage(message: string, hint?: string): EverycoreError {
  return new EverycoreError('ERR_EVERYCORE_USAGE', message, hint === undefined ? {} : { hint })
}
