/** Events of the supervisor in words, short enough for a line. One that is not known here is told by its name and its fields. */
import { ageText } from '../base/age.ts'
import { formatDuration } from '../base/units.ts'
import type { ControlEvent } from '../protocol/control.ts'

export type Tone = 'plain' | 'good' | 'warn' | 'bad'

export interface Told {
  readonly at: string
  readonly text: string
  readonly tone: Tone
}

type Fields = Readonly<Record<string, unknown>>
type Telling = readonly [text: string, tone?: Tone]

/** Others say the same: that a worker is ready, or leaves. */
const UNTOLD: ReadonlySet<string> = new Set(['status', 'worker:listening', 'worker:disconnected'])
/** Phases that have an event of their own. */
const TOLD_OTHERWISE: ReadonlySet<string> = new Set(['starting', 'stopping', 'stopped'])
const HIDDEN: ReadonlySet<string> = new Set(['type', 'at', 'id', 'slot'])

const TELL: Readonly<Record<string, (fields: Fields) => Telling>> = {
  'primary:started': () => ['started', 'good'],
  'primary:phase': ({ phase }) => [String(phase), phase === 'degraded' ? 'warn' : 'plain'],
  'primary:stopping': () => ['stopping', 'warn'],
  'primary:stopped': () => ['stopped', 'warn'],
  'worker:spawned': (fields) => [`${nameOf(fields)} boots, pid ${String(fields['pid'])}`],
  'worker:ready': (fields) => [`${nameOf(fields)} is ready after ${millis(fields['bootMs'])}`, 'good'],
  'worker:stalled': (fields) => [`${nameOf(fields)} hangs: silent for ${millis(fields['silentMs'])}`, 'bad'],
  'worker:draining': (fields) => [`${nameOf(fields)} drains (${String(fields['reason'])})`],
  'worker:exited': exited,
  'reload:started': ({ from, to }) => [`reload from generation ${String(from)} to ${String(to)}`],
  'reload:finished': ({ generation, tookMs }) => [`reloaded to generation ${String(generation)} in ${millis(tookMs)}`, 'good'],
  'reload:aborted': ({ failure }) => [`reload aborted: ${reasonOf(failure)}`, 'bad'],
  'reload:refused': ({ why }) => [`reload refused: ${String(why)}`, 'bad'],
  'restart:started': ({ to }) => [`restart to generation ${String(to)}`],
  'restart:finished': ({ generation, tookMs }) => [`restarted to generation ${String(generation)} in ${millis(tookMs)}`, 'good'],
  'scale:changed': ({ from, to }) => [`scale from ${String(from)} to ${String(to)} workers`],
  'upgrade:started': ({ pid }) => [`upgrade: a new supervisor starts, pid ${String(pid)}`],
  'upgrade:finished': ({ pid }) => [`upgraded: process ${String(pid)} has taken over`, 'good'],
  'upgrade:aborted': ({ why }) => [`upgrade aborted: ${String(why)}`, 'bad'],
}

/** Undefined: nothing that somebody wants to read. */
export function eventText(event: ControlEvent): Told | undefined {
  if (UNTOLD.has(event.type) || (event.type === 'primary:phase' && TOLD_OTHERWISE.has(String(event['phase'])))) return undefined
  const [text, tone = 'plain'] = Object.hasOwn(TELL, event.type) ? (TELL[event.type]?.(event) ?? ['']) : unknown(event)
  return { at: event.at, text, tone }
}

function exited(fields: Fields): Telling {
  const { kind, killReason, exit, uptimeMs, respawnInMs } = fields
  const { code, signal } = (exit ?? {}) as { readonly code?: unknown; readonly signal?: unknown }
  const how = typeof signal === 'string' ? signal : `exit code ${String(code)}`
  const lived = typeof uptimeMs === 'number' ? ` after ${ageText(uptimeMs)}` : ''
  if (kind === 'retired') return [`${nameOf(fields)} has left${lived}`]
  const what = kind === 'boot-failure' ? 'failed to start' : typeof killReason === 'string' ? `was killed (${killReason})` : 'crashed'
  const next = typeof respawnInMs === 'number' && respawnInMs > 0 ? `; boots again in ${millis(respawnInMs)}` : ''
  return [`${nameOf(fields)} ${what}: ${how}${lived}${next}`, killReason === 'stop-now' ? 'plain' : 'bad']
}

function unknown(event: ControlEvent): Telling {
  const pairs = Object.entries(event).flatMap(([key, value]) => (HIDDEN.has(key) || !['string', 'number', 'boolean'].includes(typeof value) ? [] : [`${key}=${String(value)}`]))
  const who = typeof event['slot'] === 'number' ? [nameOf(event)] : []
  return [[event.type, ...who, ...pairs].join(' '), 'warn']
}

function nameOf({ slot }: Fields): string {
  return typeof slot === 'number' && slot >= 0 ? `worker ${slot}` : 'a spare worker'
}

function millis(value: unknown): string {
  return typeof value === 'number' ? formatDuration(Math.round(value)) : '?'
}

function reasonOf(failure: unknown): string {
  const { why, slot, said } = (failure ?? {}) as Fields
  const where = typeof slot === 'number' ? ` (worker ${slot})` : ''
  return `${String(why)}${where}${typeof said === 'string' ? `: ${said}` : ''}`
}
