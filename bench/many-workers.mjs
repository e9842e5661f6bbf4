/** Claim: with many more workers than cores, too, a new connection costs little more than with a socket of its own for each worker. */
import { join } from 'node:path'
import { runAlone } from './lib/bench.mjs'
import { columnOf, loadRounds, loadTable, total } from './lib/load-table.mjs'
import { measureWrk } from './lib/measure.mjs'
import { median, pairRatios } from './lib/numbers.mjs'
import { choosePeers, PEERS } from './lib/peers.mjs'
import { APPS } from './lib/session.mjs'

const WORKERS = 16
const HEADERS = ['Connection: close']
const TARGET = 1.15

export const bench = {
  name: 'many-workers',
  title: `a new connection for each request on ${WORKERS} workers, whatever --workers says (wrk -t1 -c64 -H 'Connection: close')`,
  async run({ session, node, options, report }) {
    const { rounds = 5, seconds = 3 } = options
    const keys = choosePeers({ session, node, options }, ['everycore', 'shared', 'slots', 'held', 'none', 'rr'])
    const results = await loadRounds(keys, rounds, { session, script: join(APPS, 'small.cjs'), workers: WORKERS, node, counts: true }, (peer) => measureWrk(peer, { seconds, headers: HEADERS }))
    report.keep('rounds', results)
    report.print(loadTable(keys, results, ['rps', 'ratio', 'primary', 'workers', 'cpu', 'handedOver', 'client', 'p50', 'p99', 'errors']))
    report.print()
    const column = columnOf(results)
    // The peer of ours says what the mode that everycore has costs at best.
    const base = keys.includes('slots') ? 'slots' : 'held'
    for (const key of ['everycore', 'shared'].filter((one) => keys.includes(one) && keys.includes(base))) {
      report.atMost(`CPU for each request of ${PEERS[key].name} against ${PEERS[base].name}`, median(pairRatios(column(key, 'allMicros'), column(base, 'allMicros'))), TARGET, ' x')
    }
    report.atMost('failed requests', total(column('everycore', 'errors')), 0)
  },
}

await runAlone(bench, import.meta.url)
