/** `everycore ls`: the apps that run. */
import { ageText } from '../../base/age.ts'
import { EXIT } from '../../base/exit-codes.ts'
import { call } from '../../control/client.ts'
import { sanitize } from '../../logs/sanitize.ts'
import { CONTROL_SCHEMA, type StatusReport } from '../../protocol/control.ts'
import { urlOf } from '../banner.ts'
import { isSet, printJson, type VerbCall } from './call.ts'
import { runningApps, type FoundApp } from './find-app.ts'
import { tableLines } from './text-table.ts'

/** One that is stopped or stuck must not hide the others. */
const PATIENCE_MS = 3000
const WIDE = 500

interface Listed extends FoundApp {
  /** Undefined: it gives no answer. */
  readonly report: StatusReport | undefined
}

export async function runLs(verb: VerbCall): Promise<number> {
  const apps = await runningApps(verb)
  const listed = await Promise.all(apps.map(async (app): Promise<Listed> => ({ ...app, report: await call(app.path, 'status', {}, PATIENCE_MS).catch(() => undefined) })))
  if (isSet(verb, 'json')) printJson(verb, { schemaVersion: CONTROL_SCHEMA, apps: listed.map(documentOf) })
  else if (listed.length === 0) verb.streams.stdout.write('no app runs\n')
  else verb.streams.stdout.write(`${linesOf(listed, verb.streams.stdout.columns ?? WIDE).join('\n')}\n`)
  return EXIT.ok
}

function documentOf({ name, path, report }: Listed): object {
  if (report === undefined) return { name, socket: path, state: null }
  const { pid, state, size, generation, script, startedAt, uptimeMs, addresses, verdict, workers } = report
  return { name: report.name, socket: path, pid, state, size, ready: readyOf(workers), generation, script, startedAt, uptimeMs, addresses, verdict }
}

function readyOf(workers: StatusReport['workers']): number {
  return new Set(workers.filter(({ state, slot }) => state === 'ready' && slot !== null).map(({ slot }) => slot)).size
}

function linesOf(listed: readonly Listed[], width: number): readonly string[] {
  const cells = (cell: (report: StatusReport) => string): readonly string[] => listed.map(({ report }) => (report === undefined ? '-' : sanitize(cell(report), false)))
  return tableLines(
    [
      { title: 'NAME', align: 'left', cells: listed.map(({ name, report }) => sanitize(report?.name ?? name, false)) },
      { title: 'PID', align: 'right', rank: 4, cells: cells(({ pid }) => String(pid)) },
      { title: 'STATE', align: 'left', cells: listed.map(({ report }) => report?.state ?? 'gives no answer') },
      { title: 'WORKERS', align: 'right', cells: cells(({ workers, size }) => `${readyOf(workers)}/${size}`) },
      { title: 'GEN', align: 'right', rank: 2, cells: cells(({ generation }) => String(generation)) },
      { title: 'UPTIME', align: 'right', rank: 5, cells: cells(({ uptimeMs }) => ageText(uptimeMs)) },
      { title: 'ADDRESS', align: 'left', rank: 6, cells: cells(({ addresses }) => addresses.map(urlOf).join(' ')) },
      { title: 'HOW IT IS', align: 'left', rank: 1, cells: cells(({ verdict }) => verdict[0] ?? '') },
    ],
    width,
  )
}
