/** The whole screen as lines. Pure: the same model, size and time give the same lines. */
import type { StatusReport } from '../protocol/control.ts'
import { durationText } from './figures.ts'
import { KEYS } from './keys.ts'
import type { Model } from './model.ts'
import { curveLines, detailLines, eventLines, filled, helpLines, logPanel, TONE_STYLES, type Area } from './panels.ts'
import { tableLines } from './table.ts'
import { lineOf, type Look, type Span } from './text.ts'

export interface Frame extends Area, Look {
  readonly nowMs: number
  /** How long a supervisor that does not answer is waited for. */
  readonly patienceMs: number
}

/** From so many rows on the curves are high. */
const TALL = 36
const HIGH_CURVE = 6
/** What is left for events and logs below the table, heading included. */
const LEAST_EVENTS = 3
const LEAST_LOGS = 4
/** Of what is below the table; the rest is for logs. */
const EVENTS_PART = 0.4
const DETAILS_PART = 0.55
const PROGRESS_COLUMNS = 30
const KEY_GAP = '  '

/** At most `rows` lines of at most `columns` columns; the last is for keys and questions. */
export function view(model: Model, frame: Frame): readonly string[] {
  const { columns, rows } = frame
  if (rows < 1 || columns < 1) return []
  const head = headLines(model, frame)
  const body = bodyLines(model, { columns, rows: Math.max(0, rows - head.length - 1) }, frame)
  return [...filled([...head, ...body], rows - 1), footLine(model, frame)]
}

function bodyLines(model: Model, area: Area, look: Frame): readonly string[] {
  const { columns, rows } = area
  if (model.mode.name === 'help') return helpLines(area, look)
  if (model.isLogsFull) return logPanel(model, area, look)
  const curves = curveLines(model.histories.total, { columns, rows: look.rows >= TALL ? HIGH_CURVE : 1 }, look)
  const spaced = look.rows >= TALL ? [...curves, ''] : curves
  const left = Math.max(0, rows - spaced.length)
  const workers = Math.max(1, model.report?.workers.length ?? 0)
  const table = tableLines(model, { columns, rows: Math.max(2, Math.min(workers + 1, left - LEAST_EVENTS - LEAST_LOGS)) }, look)
  const below = Math.max(0, left - table.length)
  const middle = model.isDetailed ? Math.floor(below * DETAILS_PART) : Math.max(LEAST_EVENTS, Math.min(model.events.length + 1, Math.floor(below * EVENTS_PART)))
  const part = model.isDetailed ? detailLines(model, { columns, rows: middle }, look) : eventLines(model, { columns, rows: middle }, look)
  return [...spaced, ...table, ...part, ...logPanel(model, { columns, rows: Math.max(0, below - middle) }, look)]
}

/** What the first line says is what somebody reads who has woken up a minute ago. */
function headLines(model: Model, frame: Frame): readonly string[] {
  const { report } = model
  const { columns } = frame
  if (report === undefined) return [lineOf([{ text: 'everycore top', style: 'bold' }], columns, frame)]
  const { name, state, generation, uptimeMs, pid, version, node, addresses } = report
  const places = addresses.slice(0, 2).map(placeText)
  const facts = [state, `generation ${generation}`, `up ${durationText(uptimeMs)}`, ...places, `pid ${pid}`, `node ${node}`, `everycore ${version}`]
  return [
    lineOf([{ text: name, style: 'bold' }, { text: '  ' }, verdict(model, frame)], columns, frame),
    lineOf([{ text: facts.join(', '), style: 'dim' }], columns, frame),
    ...progressLines(model, frame),
  ]
}

/** On all interfaces only the port is worth a word. */
function placeText({ address, port }: StatusReport['addresses'][number]): string {
  if (port === null) return address
  if (address === '::' || address === '0.0.0.0') return `port ${port}`
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}

function verdict({ report, lost }: Model, { nowMs, patienceMs }: Frame): Span {
  if (lost !== undefined) {
    const left = Math.max(0, Math.ceil((lost.sinceMs + patienceMs - nowMs) / 1000))
    return { text: `NO ANSWER for ${durationText(nowMs - lost.sinceMs)}: ${lost.why}. Trying for another ${left}s; the figures are old`, style: 'red' }
  }
  const { verdict: sentences = [], state, workers = [] } = report ?? {}
  const isWell = state === 'running' && workers.every((worker) => worker.state === 'ready' || worker.state === 'spare')
  return { text: sentences.join('; '), style: isWell ? 'green' : 'yellow' }
}

function progressLines({ report }: Model, frame: Frame): readonly string[] {
  const reload = report?.reload ?? undefined
  if (reload === undefined || reload.slots.length === 0) return []
  const { state, from, to, slots } = reload
  const done = slots.filter(({ step }) => step === 'done').length
  const full = Math.round((done / slots.length) * PROGRESS_COLUMNS)
  const [on, off] = frame.unicode ? ['█', '░'] : ['#', '.']
  const open = slots.filter(({ step }) => step !== 'done' && step !== 'old').map(({ slot, step, inFlight }) => `slot ${slot} ${step}${step === 'draining' && inFlight !== null ? ` (${inFlight} in flight)` : ''}`)
  const what = state === 'rolling' ? `RELOAD ${from} to ${to}` : `BACK to ${from}`
  return [lineOf([{ text: `${what} `, style: 'bold' }, { text: on.repeat(full), style: 'green' }, { text: off.repeat(PROGRESS_COLUMNS - full), style: 'dim' }, { text: ` ${done}/${slots.length}  ${open.join(', ')}` }], frame.columns, frame)]
}

function footLine({ mode, filter, note, report }: Model, frame: Frame): string {
  const { columns, nowMs } = frame
  if (mode.name === 'confirm') return lineOf([{ text: `Reload ${report?.name ?? 'the app'}? Each worker is replaced, start first. y/n`, style: 'bold' }], columns, frame)
  if (mode.name === 'filter') return lineOf([{ text: '/', style: 'bold' }, { text: `${filter}_` }, { text: '  Enter keeps it, Esc drops it', style: 'dim' }], columns, frame)
  if (note !== undefined && note.untilMs > nowMs) return lineOf([{ text: note.text, style: TONE_STYLES[note.tone] ?? 'bold' }], columns, frame)
  let left = columns
  const fitting = KEYS.filter(({ keys, does }) => (left -= keys.length + does.length + KEY_GAP.length + 1) >= -KEY_GAP.length)
  return lineOf(fitting.flatMap(({ keys, does }): Span[] => [{ text: keys, style: 'bold' }, { text: ` ${does}${KEY_GAP}`, style: 'dim' }]), columns, frame)
}
