/** Claim: where some requests are long, the others wait less than with any other way to spread connections. */
import { join } from 'node:path'
import { runAlone } from './lib/bench.mjs'
import { runClient } from './lib/client.mjs'
import { columnOf, loadRounds, total } from './lib/load-table.mjs'
import { format, formatSpread, median, pairRatios, table } from './lib/numbers.mjs'
import { choosePeers, PEERS } from './lib/peers.mjs'
import { APPS } from './lib/session.mjs'

const SCRIPT = join(APPS, 'cpu.cjs')
const CONNECTIONS = 64
const KINDS = [
  { path: '/1', part: 0.9 },
  { path: '/50', part: 0.1 },
]
/** Of what node:cluster can do at most. */
const LOAD = 0.7
/** What the client takes besides: it opens its connections, and warms up. */
const EXTRA_SECONDS = 2
const PROBE_SECONDS = 4

export const bench = {
  name: 'mixed',
  usesWrk: false,
  title: `90 % of requests take 1 ms of CPU, 10 % take 50 ms; ${CONNECTIONS} keep-alive connections, ${100 * LOAD} % of what the machine can do`,
  async run(context) {
    const { workers } = context.options
    for (const count of [workers, 2 * workers]) await runCase(count, context)
  },
}

async function runCase(workers, { session, node, options, report }) {
  const { rounds = 5, seconds = 10 } = options
  const keys = choosePeers({ session, node, options }, ['everycore', 'rr', 'none', 'reuseport', 'pm2', 'slots'])
  const start = { session, script: SCRIPT, workers, node }
  const load = (peer, more, length) => runClient(session, 'mixed', { port: peer.port, connections: CONNECTIONS, kinds: KINDS, seconds: length, ...more }, { seconds: length + EXTRA_SECONDS })
  const capacities = []
  const results = await loadRounds(keys, rounds, start, async (peer, round) => {
    // Anew for each round: how much is 70 % depends on what else the machine does.
    capacities[round] ??= await probe(start, load)
    return load(peer, { seed: round, rate: LOAD * capacities[round] }, seconds)
  })
  report.keep(`${workers} workers`, { capacities, rounds: results })
  const column = columnOf(results)
  const ratio = (key) => pairRatios(column('everycore', 'p99'), column(key, 'p99'))
  report.print(`\n${workers} workers: capacity ${formatSpread(capacities, 0)} requests/s (${PEERS.rr.name}), load ${format(LOAD * median(capacities), 0)}; ms from the time at which a request was due`)
  report.print(
    table(
      ['peer', 'p50 ms', 'p99 ms', 'p99 everycore / peer', 'p99 of the short', 'errors'],
      keys.map((key) => [PEERS[key].name, formatSpread(column(key, 'p50'), 1), formatSpread(column(key, 'p99'), 0), formatSpread(ratio(key), 2), formatSpread(column(key, 'quickP99'), 0), total(column(key, 'errors'))]),
    ),
  )
  report.print()
  for (const key of ['rr', 'none', 'reuseport'].filter((one) => keys.includes(one))) report.atMost(`${workers} workers: p99 against ${PEERS[key].name}`, median(ratio(key)), 1, ' x')
  report.atMost(`${workers} workers: requests without an answer`, total(column('everycore', 'errors')), 0)
}

/** Requests a second of node:cluster when each connection asks again at once. */
async function probe({ session, ...start }, load) {
  const peer = await PEERS.rr.start(session, start)
  try {
    const { rps } = await load(peer, { seed: -1 }, PROBE_SECONDS)
    return rps
  } finally {
    await peer.stop()
  }
}

await runAlone(bench, import.meta.url)
