/** Claim: a connection for each request costs the supervisor nothing, and workers accept by themselves. */
import { join } from 'node:path'
import { runAlone } from './lib/bench.mjs'
import { columnOf, loadRounds, loadTable, total } from './lib/load-table.mjs'
import { measureWrk } from './lib/measure.mjs'
import { median, pairRatios } from './lib/numbers.mjs'
import { choosePeers } from './lib/peers.mjs'
import { APPS } from './lib/session.mjs'

const HEADERS = ['Connection: close']
const SCRIPT = join(APPS, 'small.cjs')

export const bench = {
  name: 'new-connections',
  title: "a new connection for each request (wrk -t1 -c64 -H 'Connection: close')",
  async run({ session, node, options, report }) {
    const { workers, rounds = 5, seconds = 3 } = options
    const keys = choosePeers({ session, node, options }, ['everycore', 'none', 'rr', 'pm2', 'reuseport', 'nginx', 'plain'])
    const results = await loadRounds(keys, rounds, { session, script: SCRIPT, workers, node, counts: true }, (peer) => measureWrk(peer, { seconds, headers: HEADERS }))
    report.keep('rounds', results)
    report.print(loadTable(keys, results, ['rps', 'ratio', 'primary', 'workers', 'cpu', 'handedOver', 'client', 'p50', 'p99', 'errors']))
    report.print()
    const column = columnOf(results)
    const ratio = (key) => median(pairRatios(column('everycore', 'rps'), column(key, 'rps')))
    if (keys.includes('rr')) report.atLeast('requests/s against node:cluster round-robin', ratio('rr'), 2, ' x')
    if (keys.includes('pm2')) report.atLeast('requests/s against PM2 7 cluster mode', ratio('pm2'), 2, ' x')
    if (keys.includes('none')) report.atLeast('requests/s against bare SCHED_NONE', ratio('none'), 0.95, ' x')
    report.atMost('CPU of the supervisor for each connection', median(column('everycore', 'primaryMicros')), 2, ' us')
    report.atMost('failed requests', total(column('everycore', 'errors')), 0)
  },
}

await runAlone(bench, import.meta.url)
