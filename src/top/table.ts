/** The table of workers. Its columns have fixed widths, so that nothing jumps; those that do not fit are left out. */
import type { WorkerStatus } from '../protocol/control.ts'
import { chart } from './chart.ts'
import { bytesText, countText, durationText, millisText, percentText } from './figures.ts'
import { lineOf, pad, type Look, type Span, type Style } from './text.ts'
import type { Model } from './model.ts'
import type { Series } from './trends.ts'

interface Column {
  readonly title: string
  readonly columns: number
  readonly align: 'left' | 'right'
  /** The lowest go first. */
  readonly rank: number
  readonly cell: (worker: WorkerStatus) => string
}

const GAP = 1
const COLUMNS: readonly Column[] = [
  { title: 'SLOT', columns: 5, align: 'right', rank: 99, cell: ({ slot }) => (slot === null ? 'spare' : String(slot)) },
  { title: 'PID', columns: 7, align: 'right', rank: 9, cell: ({ pid }) => (pid === null ? '-' : String(pid)) },
  { title: 'STATE', columns: 13, align: 'left', rank: 98, cell: shortState },
  { title: 'GEN', columns: 3, align: 'right', rank: 3, cell: ({ generation }) => String(generation) },
  { title: 'UP', columns: 4, align: 'right', rank: 7, cell: ({ uptimeMs }) => durationText(uptimeMs) },
  { title: 'RST', columns: 3, align: 'right', rank: 8, cell: ({ restarts }) => countText(restarts) },
  { title: 'CPU', columns: 4, align: 'right', rank: 14, cell: ({ cpu }) => percentText(cpu) },
  { title: 'RSS', columns: 6, align: 'right', rank: 13, cell: ({ rssBytes }) => bytesText(rssBytes) },
  { title: 'LOOP', columns: 4, align: 'right', rank: 12, cell: ({ loopUtilization }) => percentText(loopUtilization) },
  { title: 'LAG', columns: 6, align: 'right', rank: 4, cell: ({ loopLagP99Ms }) => millisText(loopLagP99Ms) },
  { title: 'REQ/S', columns: 5, align: 'right', rank: 15, cell: ({ requestsPerSecond }) => countText(requestsPerSecond) },
  { title: 'P50', columns: 6, align: 'right', rank: 2, cell: ({ p50Ms }) => millisText(p50Ms) },
  { title: 'P99', columns: 6, align: 'right', rank: 11, cell: ({ p99Ms }) => millisText(p99Ms) },
  { title: 'FLY', columns: 4, align: 'right', rank: 5, cell: ({ inFlight }) => countText(inFlight) },
  { title: 'CONN', columns: 5, align: 'right', rank: 10, cell: ({ connections }) => countText(connections) },
  { title: 'LAST EXIT', columns: 24, align: 'left', rank: 1, cell: exitText },
]

/** A curve with fewer columns says nothing. */
const LEAST_CURVE = 8
const MOST_CURVE = 60

const STYLES: Readonly<Record<WorkerStatus['state'], Style | undefined>> = {
  booting: 'cyan',
  ready: 'green',
  draining: 'yellow',
  killed: 'red',
  spare: 'cyan',
  stalled: 'red',
  'back-off': 'red',
  missing: 'yellow',
}

/** The heading, and a line for each worker as far as there is room; the one that is selected is always among them. */
export function tableLines({ report, selected, histories, lost }: Model, size: { readonly columns: number; readonly rows: number }, look: Look): readonly string[] {
  const workers = report?.workers ?? []
  const kept = keptIn(size.columns - 2)
  const used = 2 + kept.reduce((sum, { columns }) => sum + columns + GAP, 0)
  const curve = Math.min(MOST_CURVE, size.columns - used)
  const most = Math.max(0, ...[...histories.bySlot.values()].flatMap(({ requestsPerSecond }) => requestsPerSecond.slice(-curve).map((value) => value ?? 0)))
  const heading = lineOf([{ text: `  ${kept.map(({ title, columns, align }) => pad(title, columns, align, look)).join(' ')}${curve >= LEAST_CURVE ? ' TREND' : ''}`, style: 'dim' }], size.columns, look)
  const row = (worker: WorkerStatus): string => {
    const isSelected = worker.slot === selected
    const cells = kept.map(({ title, columns, align, cell }, index): Span => {
      const style = lost !== undefined ? 'dim' : title === 'STATE' ? STYLES[worker.state] : title === 'SLOT' && isSelected ? 'bold' : undefined
      return { text: `${index === 0 ? '' : ' '}${pad(cell(worker), columns, align, look)}`, style }
    })
    return lineOf([{ text: isSelected ? '> ' : '  ', style: 'bold' }, ...cells, ...curveOf(histories.bySlot.get(worker.slot ?? -1)?.requestsPerSecond ?? [], curve, most, look)], size.columns, look)
  }
  if (workers.length === 0) return [heading, lineOf([{ text: '  no workers', style: 'dim' }], size.columns, look)].slice(0, size.rows)
  const room = Math.max(0, size.rows - 1)
  if (workers.length <= room) return [heading, ...workers.map(row)]
  const shown = Math.max(1, room - 1)
  const at = Math.max(0, workers.findIndex(({ slot }) => slot === selected))
  const first = Math.max(0, Math.min(workers.length - shown, at - Math.floor(shown / 2)))
  const place = lineOf([{ text: `  ${first + 1} to ${first + shown} of ${workers.length} workers; j and k move`, style: 'dim' }], size.columns, look)
  return [heading, ...workers.slice(first, first + shown).map(row), place].slice(0, size.rows)
}

/** Why a worker leaves does not fit into the table. */
function shortState(worker: WorkerStatus): string {
  return worker.state === 'draining' || worker.state === 'killed' ? worker.state : stateText(worker)
}

/** What a worker does, with the reason as far as there is one. */
export function stateText({ state, reason, respawnInMs }: WorkerStatus): string {
  if (state === 'back-off') return `back-off ${durationText(respawnInMs ?? 0)}`
  return reason === null || state === 'stalled' ? state : `${state}, ${reason}`
}

export function exitText({ lastExit }: WorkerStatus): string {
  if (lastExit === null) return '-'
  return lastExit.reason === 'crash' || lastExit.reason === 'boot-failure' ? `${lastExit.reason}, ${lastExit.how}` : lastExit.reason
}

function keptIn(columns: number): readonly Column[] {
  const byRank = [...COLUMNS].sort((a, b) => b.rank - a.rank)
  let left = columns
  const kept = new Set(byRank.filter((column, index) => {
    left -= column.columns + (index === 0 ? 0 : GAP)
    return left >= 0 || index < 2
  }))
  return COLUMNS.filter((column) => kept.has(column))
}

function curveOf(series: Series, columns: number, least: number, { unicode }: Look): readonly Span[] {
  if (columns < LEAST_CURVE) return []
  const [line = ''] = chart(series, { columns, rows: 1, least, unicode })
  return [{ text: ' ' }, { text: line, style: 'cyan' }]
}
