/** Claim: connections that stay are spread evenly, and a burst of work is done as quickly as by round-robin. */
import { join } from 'node:path'
import { runAlone } from './lib/bench.mjs'
import { holdConnections } from './lib/holding-client.mjs'
import { formatSpread, median, pairRatios, table } from './lib/numbers.mjs'
import { choosePeers, PEERS } from './lib/peers.mjs'
import { openSockets } from './lib/proc.mjs'
import { inTurns } from './lib/rounds.mjs'
import { APPS, sleep } from './lib/session.mjs'

const CASES = [
  { count: 64, overMs: 2000, target: 1.1 },
  { count: 256, overMs: 2000, target: 1.1 },
  { count: 64, overMs: 0, target: 1.2 },
  { count: 256, overMs: 0, target: 1.2 },
]
const SPREAD_WORKERS = 8
const BURST = { workers: 4, count: 40, path: '/20' }
const SETTLE_MS = 200

export const bench = {
  name: 'spread',
  usesWrk: false,
  title: `keep-alive connections on ${SPREAD_WORKERS} workers, and a burst of ${BURST.count} requests of 20 ms on ${BURST.workers}`,
  async run({ session, node, options, report }) {
    const { rounds = 5 } = options
    const keys = choosePeers({ session, node, options }, ['everycore', 'rr', 'none', 'pm2'])
    const results = await inTurns(keys, rounds, (key) => measureOnce(PEERS[key], { session, node }))
    report.keep('rounds', results)
    const column = (key, field) => results[key].map((result) => result[field])
    report.print('Connections of the busiest worker by the mean')
    report.print(
      table(
        ['peer', ...CASES.map(nameOf), 'errors'],
        keys.map((key) => [PEERS[key].name, ...CASES.map((one) => formatSpread(column(key, nameOf(one)), 2)), column(key, 'errors').reduce((sum, count) => sum + count, 0)]),
      ),
    )
    report.print('\nBurst: ms until the last answer')
    report.print(table(['peer', 'ms', 'everycore / peer'], keys.map((key) => [PEERS[key].name, formatSpread(column(key, 'burstMs'), 0), formatSpread(pairRatios(column('everycore', 'burstMs'), column(key, 'burstMs')), 2)])))
    report.print()
    for (const one of CASES) report.atMost(`busiest / mean, ${nameOf(one)}`, median(column('everycore', nameOf(one))), one.target)
    if (keys.includes('rr')) report.atMost('burst against round-robin', median(pairRatios(column('everycore', 'burstMs'), column('rr', 'burstMs'))), 1.05, ' x')
    report.atMost('connections without an answer', column('everycore', 'errors').reduce((sum, count) => sum + count, 0), 0)
  },
}

const nameOf = ({ count, overMs }) => `${count} ${overMs === 0 ? 'at once' : `over ${overMs / 1000} s`}`

async function measureOnce(peer, { session, node }) {
  const result = { errors: 0 }
  for (const one of CASES) {
    await withPeer(peer, { session, node, app: 'small', workers: SPREAD_WORKERS }, async (running) => {
      const held = await holdConnections(running.port, one)
      await sleep(SETTLE_MS)
      const counts = running.pids.workers.map((pid, index) => openSockets(pid) - running.idleSockets[index])
      held.close()
      result[nameOf(one)] = Math.max(...counts) / (one.count / SPREAD_WORKERS)
      result.errors += held.errors
    })
  }
  await withPeer(peer, { session, node, app: 'block', workers: BURST.workers }, async (running) => {
    const held = await holdConnections(running.port, BURST)
    held.close()
    result.burstMs = held.tookMs
    result.errors += held.errors
  })
  return result
}

async function withPeer(peer, { session, node, app, workers }, action) {
  const running = await peer.start(session, { script: join(APPS, `${app}.cjs`), workers, node })
  try {
    await sleep(SETTLE_MS)
    await action(running)
  } finally {
    await running.stop()
  }
}

await runAlone(bench, import.meta.url)
