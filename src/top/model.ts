/** What the view shows: a reducer over what the supervisor says. What the keys do is in `keys.ts`. */
import { assertNever } from '../base/assert-never.ts'
import type { ControlEvent, LogEntry, StatusReport, WorkerStatus } from '../protocol/control.ts'
import { eventText, type Told, type Tone } from './event-text.ts'
import { logLines, missedLine, type LogLine } from './log-line.ts'
import { NO_TRENDS, sampled, type Histories } from './trends.ts'

/** Null: the spares. */
export type Seat = number | null

/** What the keys are for at the moment. */
export type Mode = { readonly name: 'main' } | { readonly name: 'help' } | { readonly name: 'confirm' } | { readonly name: 'filter'; readonly before: string }

export interface Model {
  readonly report: StatusReport | undefined
  /** Undefined: the supervisor answers. */
  readonly lost: { readonly sinceMs: number; readonly why: string } | undefined
  readonly histories: Histories
  readonly sampledMs: number
  readonly events: readonly Told[]
  readonly logs: readonly LogLine[]
  readonly selected: Seat
  readonly mode: Mode
  readonly isDetailed: boolean
  readonly isLogsFull: boolean
  readonly filter: string
  /** Lines of the logs that are below the last one shown. */
  readonly back: number
  /** What became of the last command. */
  readonly note: { readonly text: string; readonly tone: Tone; readonly untilMs: number } | undefined
}

export type Input =
  | { readonly type: 'reported'; readonly report: StatusReport; readonly nowMs: number }
  | { readonly type: 'happened'; readonly event: ControlEvent }
  | { readonly type: 'logged'; readonly entries: readonly LogEntry[] }
  /** So many lines were forgotten before they were read. */
  | { readonly type: 'missed'; readonly lines: number; readonly at: string }
  | { readonly type: 'lost'; readonly why: string; readonly nowMs: number }
  | { readonly type: 'noted'; readonly text: string; readonly tone: Tone; readonly untilMs: number }

const MOST_EVENTS = 200
const MOST_LOGS = 2000
/** A little less than the second between two reports, which are never quite on time. */
const SAMPLE_MS = 900

export const EMPTY: Model = {
  report: undefined,
  lost: undefined,
  histories: { total: NO_TRENDS, bySlot: new Map() },
  sampledMs: Number.NEGATIVE_INFINITY,
  events: [],
  logs: [],
  selected: 0,
  mode: { name: 'main' },
  isDetailed: false,
  isLogsFull: false,
  filter: '',
  back: 0,
  note: undefined,
}

export function update(model: Model, input: Input): Model {
  switch (input.type) {
    case 'reported':
      return reported(model, input.report, input.nowMs)
    case 'happened':
      return told(model, eventText(input.event))
    case 'logged':
      return logged(model, input.entries.slice(-MOST_LOGS).flatMap(logLines))
    case 'missed':
      return logged(model, [missedLine(input.lines, input.at)])
    case 'lost':
      return { ...model, lost: { sinceMs: model.lost?.sinceMs ?? input.nowMs, why: input.why } }
    case 'noted':
      return { ...model, note: input }
    default:
      return assertNever(input)
  }
}

/** Slots from the lowest up, spares last. */
export function seatsOf(workers: readonly WorkerStatus[]): readonly Seat[] {
  return [...new Set(workers.map(({ slot }) => slot))]
}

/** Those lines that fit the filter, and the worker whose details are open. */
export function shownLogs({ logs, filter, isDetailed, selected }: Model): readonly LogLine[] {
  const wanted = filter.toLowerCase()
  if (wanted === '' && !isDetailed) return logs
  return logs.filter(({ slot, stream, text }) => (!isDetailed || (slot === selected && stream !== 'everycore')) && text.toLowerCase().includes(wanted))
}

function reported(model: Model, report: StatusReport, nowMs: number): Model {
  const { report: before, lost, histories, sampledMs, selected } = model
  const isDue = nowMs - sampledMs >= SAMPLE_MS
  const seats = seatsOf(report.workers)
  const next: Model = {
    ...model,
    report,
    lost: undefined,
    histories: isDue ? sampled(histories, report) : histories,
    sampledMs: isDue ? nowMs : sampledMs,
    selected: seats.includes(selected) ? selected : (seats.at(-1) ?? 0),
  }
  if (before !== undefined && before.pid !== report.pid) return told(next, { at: new Date(nowMs).toISOString(), text: `another supervisor answers: pid ${report.pid}, everycore ${report.version}`, tone: 'warn' })
  if (lost !== undefined) return told(next, { at: new Date(nowMs).toISOString(), text: 'the supervisor answers again', tone: 'good' })
  return next
}

function told(model: Model, event: Told | undefined): Model {
  return event === undefined ? model : { ...model, events: [...model.events.slice(1 - MOST_EVENTS), event] }
}

function logged(model: Model, lines: readonly LogLine[]): Model {
  const next = { ...model, logs: [...model.logs, ...lines].slice(-MOST_LOGS) }
  if (model.back === 0) return next
  // Whoever reads further up goes on reading there.
  const added = shownLogs({ ...model, logs: lines }).length
  return { ...next, back: Math.min(model.back + added, shownLogs(next).length) }
}
