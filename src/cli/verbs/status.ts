/** `everycore status`: how an app and its workers are. */
import { styleText } from 'node:util'
import { ageText } from '../../base/age.ts'
import { EXIT } from '../../base/exit-codes.ts'
import { formatSize } from '../../base/units.ts'
import { call } from '../../control/client.ts'
import { sanitize } from '../../logs/sanitize.ts'
import type { StatusReport, WorkerStatus } from '../../protocol/control.ts'
import { urlOf } from '../banner.ts'
import { isSet, printJson, type VerbCall } from './call.ts'
import { findApp } from './find-app.ts'
import { tableLines, type Column } from './text-table.ts'

/** Wide enough for all columns; for whoever is no terminal. */
const WIDE = 500

export async function runStatus(verb: VerbCall): Promise<number> {
  const { path } = await findApp(verb, verb.args[0])
  const report = await call(path, 'status')
  if (isSet(verb, 'json')) printJson(verb, report)
  else verb.streams.stdout.write(`${statusLines(report, { width: verb.streams.stdout.columns ?? WIDE, color: verb.color }).join('\n')}\n`)
  return EXIT.ok
}

export interface View {
  /** Columns of the terminal. */
  readonly width: number
  readonly color: boolean
}

/** The report for people: verdict, where it listens, a line for each worker. */
export function statusLines(report: StatusReport, { width, color }: View): readonly string[] {
  const paint = (style: Parameters<typeof styleText>[0], text: string): string => (color ? styleText(style, text, { validateStream: false }) : text)
  const { name, pid, generation, version, node, uptimeMs, addresses, verdict, workers, state } = report
  const isWell = state === 'running' && workers.every((worker) => worker.state === 'ready' || worker.state === 'spare')
  const [worst = '', ...others] = verdict.map((sentence) => sanitize(sentence, false))
  const places = addresses.map((address) => sanitize(urlOf(address), false))
  const [head = '', ...rows] = tableLines(columnsOf(workers), width)
  return [
    `${paint('bold', sanitize(name, false))}  ${paint(isWell ? 'green' : 'yellow', worst)}`,
    ...others.map((sentence) => `${' '.repeat(name.length)}  ${sentence}`),
    '',
    sanitize(`${state}, generation ${generation}, up ${ageText(uptimeMs)}, pid ${pid}, everycore ${version}, node ${node}`, false),
    ...(places.length === 0 ? [] : [places.join('  ')]),
    '',
    paint('dim', head),
    ...rows,
  ]
}

function columnsOf(workers: readonly WorkerStatus[]): readonly Column[] {
  const right = (title: string, rank: number | undefined, cell: (worker: WorkerStatus) => string): Column => ({ title, align: 'right', cells: workers.map(cell), ...(rank !== undefined && { rank }) })
  return [
    right('SLOT', undefined, ({ slot }) => (slot === null ? 'spare' : String(slot))),
    right('PID', 9, ({ pid }) => number(pid)),
    { title: 'STATE', align: 'left', cells: workers.map(stateText) },
    right('GEN', 4, ({ generation }) => String(generation)),
    right('UPTIME', 8, ({ uptimeMs }) => (uptimeMs === null ? '-' : ageText(uptimeMs))),
    right('RESTARTS', 6, ({ restarts }) => String(restarts)),
    { title: 'LAST EXIT', align: 'left', rank: 1, cells: workers.map(({ lastExit }) => (lastExit === null ? '-' : sanitize(lastExit.reason === 'crash' || lastExit.reason === 'boot-failure' ? `${lastExit.reason} (${lastExit.how})` : lastExit.reason, false))) },
    right('CPU', 15, ({ cpu }) => percent(cpu)),
    right('RSS', 14, ({ rssBytes }) => (rssBytes === null ? '-' : formatSize(rssBytes))),
    right('LOOP', 10, ({ loopUtilization }) => percent(loopUtilization)),
    right('LAG P99', 7, ({ loopLagP99Ms }) => millis(loopLagP99Ms)),
    right('REQ/S', 13, ({ requestsPerSecond }) => number(requestsPerSecond)),
    right('P50', 2, ({ p50Ms }) => millis(p50Ms)),
    right('P99', 12, ({ p99Ms }) => millis(p99Ms)),
    right('IN FLIGHT', 5, ({ inFlight }) => number(inFlight)),
    right('CONNS', 11, ({ connections }) => number(connections)),
  ]
}

function stateText({ state, reason, respawnInMs }: WorkerStatus): string {
  if (state === 'back-off') return `back-off ${ageText(respawnInMs ?? 0)}`
  if (reason === null || state === 'stalled') return state
  return state === 'ready' ? `ready, ${reason}` : `${state} (${reason})`
}

const number = (value: number | null): string => (value === null ? '-' : String(Math.round(value)))
const percent = (value: number | null): string => (value === null ? '-' : `${Math.round(value * 100)}%`)

function millis(value: number | null): string {
  if (value === null) return '-'
  return value < 10 ? `${value.toFixed(1)}ms` : value < 10_000 ? `${Math.round(value)}ms` : `${Math.round(value / 1000)}s`
}
