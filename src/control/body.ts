/** What a client asks for, read with as little trust as what a worker sends. */
import { PROFILE_KINDS } from '../protocol/diagnosis.ts'
import { refusal, type Answer } from './wire-error.ts'
import type { ProfileWish, ScaleTarget } from './ports.ts'

/** Fields that change the prototype of what they are copied to. */
const DANGEROUS = new Set(['__proto__', 'constructor', 'prototype'])
const MOST_WORKERS = 1024
/** A profile of more would be too large for its readers. */
export const PROFILE_SECONDS = { least: 1, default: 10, most: 600 } as const

/** The fields of a body, or why it is none. */
export type Body = { readonly ok: true; readonly fields: ReadonlyMap<string, unknown> } | { readonly ok: false; readonly answer: Answer }

/** Reads the text of a body that may have these fields and no other; none is needed. */
export function readBody(text: string, allowed: readonly string[]): Body {
  if (text.trim() === '') return { ok: true, fields: new Map() }
  let value: unknown
  try {
    value = JSON.parse(text, (key, one: unknown) => (DANGEROUS.has(key) ? undefined : one))
  } catch {
    return { ok: false, answer: refusal(400, 'the body is not JSON') }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { ok: false, answer: refusal(400, 'the body is not a JSON object') }
  const fields = new Map(Object.entries(value))
  const unknown = [...fields.keys()].filter((key) => !allowed.includes(key))
  if (unknown.length === 0) return { ok: true, fields }
  return { ok: false, answer: refusal(400, `unknown field ${JSON.stringify(unknown[0]?.slice(0, 100))}`, allowed.length === 0 ? 'This method takes none.' : `It takes: ${allowed.join(', ')}.`) }
}

/** `size` of a scale; undefined when it is none. */
export function readScaleTarget(value: unknown): ScaleTarget | undefined {
  if (value === '+1' || value === '-1' || value === 'auto') return value
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MOST_WORKERS ? value : undefined
}

/** `slot`; undefined when it is none. */
export function readSlot(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < MOST_WORKERS ? value : undefined
}

/** Undefined when something of it is wrong. */
export function readProfileWish(fields: ReadonlyMap<string, unknown>): ProfileWish | undefined {
  const slot = readSlot(fields.get('slot'))
  const kind = PROFILE_KINDS.find((one) => one === fields.get('kind'))
  const seconds = fields.get('seconds') ?? PROFILE_SECONDS.default
  if (slot === undefined || kind === undefined || typeof seconds !== 'number' || !(seconds >= PROFILE_SECONDS.least && seconds <= PROFILE_SECONDS.most)) return undefined
  return { slot, kind, seconds: kind === 'heap' ? 0 : seconds }
}
