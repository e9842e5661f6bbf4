/** The parts of the view besides the table: what happened, what was written, one worker in detail, the keys. */
import type { WorkerStatus } from '../protocol/control.ts'
import { chart } from './chart.ts'
import type { Tone } from './event-text.ts'
import { bytesText, clockText, countText, durationText, millisText, percentText, UNKNOWN } from './figures.ts'
import { KEYS } from './keys.ts'
import type { LogLine } from './log-line.ts'
import { shownLogs, type Model } from './model.ts'
import { exitText, stateText } from './table.ts'
import { lineOf, rule, type Look, type Span, type Style } from './text.ts'
import type { Series, Trends } from './trends.ts'

/** Room for a part of the view. */
export interface Area {
  readonly columns: number
  readonly rows: number
}

export const TONE_STYLES: Readonly<Record<Tone, Style | undefined>> = { plain: undefined, good: 'green', warn: 'yellow', bad: 'red' }

interface Curve {
  readonly figure: keyof Trends
  readonly title: string
  readonly text: (value: number | null) => string
  /** What a full column stands for at least. */
  readonly least: number
}

const CURVES: readonly Curve[] = [
  { figure: 'requestsPerSecond', title: 'REQ/S', text: countText, least: 1 },
  { figure: 'loopUtilization', title: 'LOOP', text: percentText, least: 1 },
  { figure: 'p99Ms', title: 'P99', text: millisText, least: 1 },
]
const CURVE_GAP = 2
const FIGURE_COLUMNS = 6

/** Three curves side by side: one line each with its last value, or as high as there is room under it. */
export function curveLines(trends: Trends, { columns, rows }: Area, look: Look): readonly string[] {
  const width = Math.floor((columns - CURVE_GAP * (CURVES.length - 1)) / CURVES.length)
  const labels = CURVES.map(({ figure, title, text, least }) => labelOf(trends[figure].slice(-width), { title, text, least }, rows > 1))
  const labelColumns = rows > 1 ? 0 : Math.max(...CURVES.map(({ title }) => title.length)) + FIGURE_COLUMNS + 2
  const curves = CURVES.map(({ figure, least }) => chart(trends[figure], { columns: Math.max(1, width - labelColumns), rows: Math.max(1, rows - 1), least, unicode: look.unicode }))
  const gap: Span = { text: ' '.repeat(CURVE_GAP) }
  if (rows <= 1) {
    return [lineOf(CURVES.flatMap((_, index): Span[] => [...(index === 0 ? [] : [gap]), ...padded(labels[index] ?? [], labelColumns), { text: curves[index]?.[0] ?? '', style: 'cyan' }]), columns, look)]
  }
  const head = lineOf(labels.flatMap((label) => [...padded(label, width), gap]), columns, look)
  return [head, ...Array.from({ length: rows - 1 }, (_, row) => lineOf(curves.flatMap((lines): Span[] => [{ text: lines[row] ?? '', style: 'cyan' }, gap]), columns, look))]
}

/** What happened, the newest last. */
export function eventLines({ events }: Model, { columns, rows }: Area, look: Look): readonly string[] {
  if (rows < 1) return []
  const shown = rows < 2 ? [] : events.slice(1 - rows)
  const lines = shown.map(({ at, text, tone }) => lineOf([{ text: `${clockText(at)} `, style: 'dim' }, { text, style: TONE_STYLES[tone] }], columns, look))
  return [heading('EVENTS', [], columns, look), ...filled(lines, rows - 1)]
}

/** The newest lines, or those further up. */
export function logPanel(model: Model, { columns, rows }: Area, look: Look): readonly string[] {
  if (rows < 1) return []
  const all = shownLogs(model)
  const end = all.length - model.back
  const shown = all.slice(Math.max(0, end - (rows - 1)), end)
  const facts = [
    ...(model.isDetailed ? [`worker ${model.selected ?? 'spare'}`] : []),
    ...(model.filter === '' ? [] : [`with "${model.filter}"`]),
    ...(model.back === 0 ? [] : [`${model.back} more below`]),
  ]
  return [heading('LOGS', facts, columns, look), ...filled(shown.map((line) => logLine(line, columns, look)), rows - 1)]
}

function logLine({ at, slot, stream, tone, text }: LogLine, columns: number, look: Look): string {
  const bars = look.unicode ? { light: '│', heavy: '┃' } : { light: '|', heavy: '!' }
  const isHeavy = stream === 'stderr' || tone === 'bad'
  const who = stream === 'everycore' ? 'ec' : slot === null ? '+' : String(slot)
  const bar: Span = isHeavy ? { text: bars.heavy, style: 'red' } : { text: bars.light, style: 'dim' }
  return lineOf([{ text: `${clockText(at)} ${who.padStart(3)} `, style: 'dim' }, bar, { text: ' ' }, { text, style: TONE_STYLES[tone] }], columns, look)
}

/** All that is known of the workers of one slot. */
export function detailLines(model: Model, { columns, rows }: Area, look: Look): readonly string[] {
  if (rows < 1) return []
  const { report, selected, histories } = model
  const workers = (report?.workers ?? []).filter(({ slot }) => slot === selected)
  const title = selected === null ? 'SPARE' : `WORKER ${selected}`
  const trends = selected === null ? undefined : histories.bySlot.get(selected)
  const curves = trends === undefined ? [] : curveLines(trends, { columns, rows: rows >= 12 ? 4 : 1 }, look)
  return filled([heading(title, ['Enter: back'], columns, look), ...workers.flatMap((worker) => factLines(worker, columns, look)), ...curves], rows)
}

function factLines(worker: WorkerStatus, columns: number, look: Look): readonly string[] {
  const { pid, generation, uptimeMs, restarts, lastExit, cpu, rssBytes, loopUtilization, loopLagP99Ms, requestsPerSecond, p50Ms, p99Ms, inFlight, connections } = worker
  const rows: readonly (readonly [string, string][])[] = [
    [['state', stateText(worker)], ['pid', pid === null ? UNKNOWN : String(pid)], ['generation', String(generation)], ['up', durationText(uptimeMs)]],
    [['restarts', String(restarts)], ['last exit', lastExit === null ? UNKNOWN : `${exitText(worker)}, at ${clockText(lastExit.at)}`]],
    [['cpu', percentText(cpu)], ['rss', bytesText(rssBytes)], ['loop', percentText(loopUtilization)], ['lag p99', millisText(loopLagP99Ms)]],
    [['req/s', countText(requestsPerSecond)], ['p50', millisText(p50Ms)], ['p99', millisText(p99Ms)], ['in flight', countText(inFlight)], ['connections', countText(connections)]],
  ]
  return rows.map((row) => lineOf(row.flatMap(([name, value]): Span[] => [{ text: `  ${name} `, style: 'dim' }, { text: value }]), columns, look))
}

export function helpLines({ columns, rows }: Area, look: Look): readonly string[] {
  const keyColumns = Math.max(...KEYS.map(({ keys }) => keys.length)) + 2
  const lines = KEYS.map(({ keys, help }) => lineOf([{ text: `  ${keys.padEnd(keyColumns)}`, style: 'bold' }, { text: help }], columns, look))
  const words = [
    '',
    'LOOP is the part of its time that an event loop is busy, LAG how late its timers are (p99),',
    'RST how often a worker of the slot was lost, FLY the requests in flight, CONN the open',
    'connections. REQ/S on top is the sum of all workers, LOOP and P99 are those of the worst.',
    'A dash is a figure that is not known. ec in the logs is everycore itself.',
  ].map((text) => lineOf([{ text, style: 'dim' }], columns, look))
  return filled([heading('KEYS', ['any key: back'], columns, look), ...lines, ...words], rows)
}

export function heading(title: string, facts: readonly string[], columns: number, look: Look): string {
  const text = [title, ...facts].join('  ')
  return lineOf([{ text: title, style: 'bold' }, { text: facts.map((fact) => `  ${fact}`).join(''), style: 'yellow' }, { text: ` ${rule(columns - text.length - 1, look)}`, style: 'dim' }], columns, look)
}

/** Exactly so many lines. */
export function filled(lines: readonly string[], rows: number): readonly string[] {
  return Array.from({ length: Math.max(0, rows) }, (_, index) => lines[index] ?? '')
}

function labelOf(series: Series, { title, text, least }: Pick<Curve, 'title' | 'text' | 'least'>, isTall: boolean): readonly Span[] {
  const most = Math.max(least, ...series.map((value) => value ?? 0))
  const figure = text(series.at(-1) ?? null)
  return [{ text: `${title} `, style: 'dim' }, { text: isTall ? figure : figure.padStart(FIGURE_COLUMNS), style: 'bold' }, ...(isTall ? [{ text: `  top of the curve ${text(most)}`, style: 'dim' as const }] : [])]
}

function padded(spans: readonly Span[], columns: number): readonly Span[] {
  const used = spans.reduce((sum, { text }) => sum + text.length, 0)
  return [...spans, { text: ' '.repeat(Math.max(0, columns - used)) }]
}
