/** Claim: a burst of work is done as quickly as by round-robin. */
import { join } from 'node:path'
import { runAlone } from './lib/bench.mjs'
import { holdConnections } from './lib/holding-client.mjs'
import { columnOf, loadRounds, total } from './lib/load-table.mjs'
import { formatSpread, median, pairRatios, table } from './lib/numbers.mjs'
import { choosePeers, PEERS } from './lib/peers.mjs'
import { openSockets } from './lib/proc.mjs'
import { APPS, sleep } from './lib/session.mjs'

const WORKERS = 4
const BURST = { count: 40, path: '/20' }
/** So many bursts on each peer that was started: one alone says little. */
const BURSTS = 5
const SETTLE_MS = 500

export const bench = {
  name: 'burst',
  usesWrk: false,
  title: `${BURST.count} connections at once, each with a request that takes 20 ms of CPU, on ${WORKERS} workers`,
  async run({ session, node, options, report }) {
    const { rounds = 5 } = options
    const keys = choosePeers({ session, node, options }, ['everycore', 'rr', 'none', 'pm2', 'reuseport', 'shared', 'slots'])
    const results = await loadRounds(keys, rounds, { session, script: join(APPS, 'cpu.cjs'), workers: WORKERS, node, counts: true }, measureBursts)
    report.keep('rounds', results)
    const column = columnOf(results)
    const ratio = (key) => pairRatios(column('everycore', 'ms'), column(key, 'ms'))
    report.print(`Median of ${BURSTS} bursts: ms until the last answer, and until half of them; connections of the busiest worker by the mean`)
    report.print(
      table(
        ['peer', 'all ms', 'everycore / peer', 'half ms', 'busiest / mean', 'handed over', 'errors'],
        keys.map((key) => [
          PEERS[key].name,
          formatSpread(column(key, 'ms'), 0),
          formatSpread(ratio(key), 2),
          formatSpread(column(key, 'halfMs'), 0),
          formatSpread(column(key, 'balance'), 2),
          formatSpread(column(key, 'handedOver').filter((value) => value !== undefined), 0),
          total(column(key, 'errors')),
        ]),
      ),
    )
    report.print()
    if (keys.includes('rr')) report.atMost('all answered, against round-robin of node:cluster', median(ratio('rr')), 1.05, ' x')
    report.atMost('connections without an answer', total(column('everycore', 'errors')), 0)
  },
}

async function measureBursts(peer) {
  const bursts = []
  for (let index = 0; index < BURSTS; index += 1) {
    await sleep(SETTLE_MS)
    const handedBefore = await peer.handedOver?.()
    const held = await holdConnections(peer.port, BURST)
    const counts = peer.pids.workers.map((pid, worker) => openSockets(pid) - peer.idleSockets[worker])
    held.close()
    const handedOver = handedBefore === undefined ? undefined : (await peer.handedOver()) - handedBefore
    bursts.push({ ms: held.tookMs, halfMs: held.halfMs, balance: Math.max(...counts) / (BURST.count / WORKERS), errors: held.errors, handedOver })
  }
  const middle = (field) => median(bursts.map((burst) => burst[field]))
  return { ms: middle('ms'), halfMs: middle('halfMs'), balance: middle('balance'), errors: total(bursts.map(({ errors }) => errors)), handedOver: peer.handedOver && middle('handedOver'), bursts }
}

await runAlone(bench, import.meta.url)
