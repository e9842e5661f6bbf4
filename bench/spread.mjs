/** Claim: connections that stay are spread evenly. */
import { join } from 'node:path'
import { runAlone } from './lib/bench.mjs'
import { holdConnections } from './lib/holding-client.mjs'
import { columnOf, loadRounds, total } from './lib/load-table.mjs'
import { formatSpread, median, table } from './lib/numbers.mjs'
import { choosePeers, PEERS } from './lib/peers.mjs'
import { openSockets } from './lib/proc.mjs'
import { APPS, sleep } from './lib/session.mjs'

const CASES = [
  { count: 64, overMs: 2000, target: 1.1 },
  { count: 256, overMs: 2000, target: 1.1 },
  { count: 64, overMs: 0, target: 1.2 },
  { count: 256, overMs: 0, target: 1.2 },
]
const WORKERS = 8
const SETTLE_MS = 200

export const bench = {
  name: 'spread',
  usesWrk: false,
  title: `keep-alive connections on ${WORKERS} workers`,
  async run({ session, node, options, report }) {
    const { rounds = 5 } = options
    const keys = choosePeers({ session, node, options }, ['everycore', 'rr', 'none', 'pm2', 'reuseport'])
    const verdicts = []
    const results = {}
    const errors = Object.fromEntries(keys.map((key) => [key, 0]))
    for (const one of CASES) {
      const name = nameOf(one)
      results[name] = await loadRounds(keys, rounds, { session, script: join(APPS, 'small.cjs'), workers: WORKERS, node }, (peer) => measureOnce(peer, one))
      const column = columnOf(results[name])
      for (const key of keys) errors[key] += total(column(key, 'errors'))
      verdicts.push(() => report.atMost(`busiest / mean, ${name}`, median(column('everycore', 'balance')), one.target))
    }
    report.keep('rounds', results)
    report.print('Connections of the busiest worker by the mean')
    const cell = (key, one) => formatSpread(columnOf(results[nameOf(one)])(key, 'balance'), 2)
    report.print(table(['peer', ...CASES.map(nameOf), 'errors'], keys.map((key) => [PEERS[key].name, ...CASES.map((one) => cell(key, one)), errors[key]])))
    report.print()
    for (const verdict of verdicts) verdict()
    report.atMost('connections without an answer', errors['everycore'] ?? 0, 0)
  },
}

const nameOf = ({ count, overMs }) => `${count} ${overMs === 0 ? 'at once' : `over ${overMs / 1000} s`}`

async function measureOnce(peer, one) {
  await sleep(SETTLE_MS)
  const held = await holdConnections(peer.port, one)
  await sleep(SETTLE_MS)
  const counts = peer.pids.workers.map((pid, index) => openSockets(pid) - peer.idleSockets[index])
  held.close()
  return { balance: Math.max(...counts) / (one.count / WORKERS), errors: held.errors }
}

await runAlone(bench, import.meta.url)
