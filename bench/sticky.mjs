/** Claim: a client that reaches the same worker again costs less than with what there is for Node. */
import { join } from 'node:path'
import { runAlone } from './lib/bench.mjs'
import { runClient } from './lib/client.mjs'
import { columnOf, loadRounds, loadTable, total } from './lib/load-table.mjs'
import { measure } from './lib/measure.mjs'
import { median, pairRatios } from './lib/numbers.mjs'
import { choosePeers, PEERS } from './lib/peers.mjs'
import { APPS } from './lib/session.mjs'
import { stickyModules } from './lib/socketio.mjs'

const SCRIPT = join(APPS, 'socketio.cjs')
const CLIENTS = 64
/** What the client takes to warm up. */
const EXTRA_SECONDS = 1
/** At least so many times the connections a second of @socket.io/sticky. */
const TARGETS = { ip: 1.5, cookie: 1.2 }

const CASES = [
  { title: 'plain requests', path: '/' },
  { title: 'handshakes of Socket.IO', path: '/socket.io/?EIO=4&transport=polling' },
]

export const bench = {
  name: 'sticky',
  usesWrk: false,
  title: `${CLIENTS} clients, each with an address and a cookie of its own; a new connection for each request`,
  async run(context) {
    const modules = stickyModules(context.session)
    // All peers run the same app, so all need them.
    if (modules === undefined) throw new Error('Socket.IO is not there')
    const { workers } = context.options
    for (const count of [workers, 2 * workers]) for (const one of CASES) await runCase({ ...one, workers: count, modules }, context)
  },
}

async function runCase({ title, path, workers, modules }, { session, node, options, report }) {
  const { rounds = 5, seconds = 3 } = options
  const keys = choosePeers({ session, node, options }, ['ip', 'cookie', 'everycore', 'sticky', 'nginxIp', 'nginx'])
  const name = `${workers} workers, ${title}`
  const load = (peer) => (halfway) => runClient(session, 'addresses', { port: peer.port, clients: CLIENTS, seconds, path }, { seconds: seconds + EXTRA_SECONDS, halfway })
  const results = await loadRounds(keys, rounds, { session, script: SCRIPT, workers, node, counts: true, env: { BENCH_MODULES: modules } }, (peer) => measure(peer, { seconds }, load(peer)))
  report.keep(name, results)
  const column = columnOf(results)
  report.print(`\n${name}`)
  report.print(loadTable(keys, results, ['rps', 'times', 'primary', 'workers', 'cpuTimes', 'handedOver', 'client', 'p50', 'p99', 'errors'], 'sticky'))
  report.print()
  for (const key of Object.keys(TARGETS).filter((one) => keys.includes(one))) {
    if (keys.includes('sticky')) report.atLeast(`${name}: connections/s of ${PEERS[key].name} against ${PEERS.sticky.name}`, median(pairRatios(column(key, 'rps'), column('sticky', 'rps'))), TARGETS[key], ' x')
    report.atMost(`${name}: failed requests of ${PEERS[key].name}`, total(column(key, 'errors')), 0)
  }
}

await runAlone(bench, import.meta.url)
