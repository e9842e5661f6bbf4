/** Claim: on connections that stay, a worker is as fast as the same app under bare node:cluster; the number of its routes does not matter. */
import { join } from 'node:path'
import { runAlone } from './lib/bench.mjs'
import { columnOf, loadRounds, loadTable, total } from './lib/load-table.mjs'
import { measureWrk } from './lib/measure.mjs'
import { median, pairRatios } from './lib/numbers.mjs'
import { choosePeers } from './lib/peers.mjs'
import { APPS } from './lib/session.mjs'

const CASES = [
  { app: 'small', title: 'small app', wanted: ['everycore', 'rr', 'none', 'pm2', 'plain'] },
  { app: 'routes', title: '10,000 routes, all asked for', wanted: ['everycore', 'rr'], load: { path: 'api/v1/things/1', script: join(APPS, 'routes.lua') } },
]

export const bench = {
  name: 'keep-alive',
  title: 'many requests on 64 connections (wrk -t1 -c64)',
  async run(context) {
    for (const one of CASES) await runCase(one, context)
  },
}

async function runCase({ app, title, wanted, load }, { session, node, options, report }) {
  const { workers, rounds = 7, seconds = 3 } = options
  const keys = choosePeers({ session, node, options }, wanted)
  const results = await loadRounds(keys, rounds, { session, script: join(APPS, `${app}.cjs`), workers, node }, (peer) => measureWrk(peer, { seconds, ...load }))
  report.keep(app, results)
  report.print(`\n${title}`)
  report.print(loadTable(keys, results, ['rps', 'ratio', 'primary', 'workers', 'cpu', 'client', 'balance', 'p50', 'p99', 'errors']))
  report.print()
  if (!keys.includes('rr')) return
  const column = columnOf(results)
  report.atLeast(`${title}: requests/s against bare node:cluster`, median(pairRatios(column('everycore', 'rps'), column('rr', 'rps'))), 0.97, ' x')
  report.atMost(`${title}: failed requests`, total(column('everycore', 'errors')), 0)
}

await runAlone(bench, import.meta.url)
