/** Claim: on connections that stay, a worker is as fast as the same app under bare node:cluster; the number of its routes does not matter. */
import { join } from 'node:path'
import { runAlone } from './lib/bench.mjs'
import { format, formatSpread, median, pairRatios, table } from './lib/numbers.mjs'
import { choosePeers, PEERS } from './lib/peers.mjs'
import { inTurns } from './lib/rounds.mjs'
import { APPS } from './lib/session.mjs'
import { measure, wrk } from './lib/wrk.mjs'

const CASES = [
  { app: 'small', title: 'small app', wanted: ['everycore', 'rr', 'none', 'pm2', 'plain'] },
  { app: 'routes', title: '10,000 routes, all asked for', wanted: ['everycore', 'rr'], path: 'api/v1/things/1', script: join(APPS, 'routes.lua') },
]

export const bench = {
  name: 'keep-alive',
  title: 'many requests on 64 connections (wrk -t1 -c64)',
  async run(context) {
    for (const one of CASES) await runCase(one, context)
  },
}

async function runCase({ app, title, wanted, path = '', script }, { session, node, options, report }) {
  const { workers, rounds = 7, seconds = 3 } = options
  const keys = choosePeers(session, wanted, options.peers)
  const load = script === undefined ? {} : { script }
  const results = await inTurns(keys, rounds, async (key) => {
    const peer = await PEERS[key].start(session, { script: join(APPS, `${app}.cjs`), workers, node })
    const target = { ...peer, url: peer.url + path }
    try {
      await wrk(target.url, { seconds: 1, ...load })
      return await measure(target, { seconds, ...load })
    } finally {
      await peer.stop()
    }
  })
  report.keep(app, results)
  const column = (key, field) => results[key].map((result) => result[field])
  report.print(`\n${title}`)
  report.print(
    table(
      ['peer', 'req/s', 'everycore / peer', 'primary us/req', 'workers us/req', 'CPU peer / everycore', 'wrk cores', 'busiest / mean', 'p50 ms', 'p99 ms', 'errors'],
      keys.map((key) => [
        PEERS[key].name,
        formatSpread(column(key, 'rps'), 0),
        formatSpread(pairRatios(column('everycore', 'rps'), column(key, 'rps')), 2),
        PEERS[key] === PEERS.plain ? '-' : formatSpread(column(key, 'primaryMicros'), 2),
        formatSpread(column(key, 'workerMicros'), 1),
        formatSpread(pairRatios(column(key, 'allMicros'), column('everycore', 'allMicros')), 2),
        format(median(column(key, 'wrkCpu')), 2),
        formatSpread(column(key, 'balance'), 2),
        format(median(column(key, 'p50')), 1),
        format(median(column(key, 'p99')), 1),
        column(key, 'errors').reduce((sum, count) => sum + count, 0),
      ]),
    ),
  )
  report.print()
  if (!keys.includes('rr')) return
  report.atLeast(`${title}: requests/s against bare node:cluster`, median(pairRatios(column('everycore', 'rps'), column('rr', 'rps'))), 0.97, ' x')
  report.atMost(`${title}: failed requests`, column('everycore', 'errors').reduce((sum, count) => sum + count, 0), 0)
}

await runAlone(bench, import.meta.url)
