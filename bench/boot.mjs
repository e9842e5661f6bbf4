/** Claim: workers are ready about as soon as under bare node:cluster, and the preload costs each of them less than 5 ms and 64 kB. */
import { cpSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { runAlone } from './lib/bench.mjs'
import { formatSpread, median, pairDifferences, pairRatios, table } from './lib/numbers.mjs'
import { makeModules } from './lib/modules.mjs'
import { everycore } from './lib/everycore.mjs'
import { choosePeers, PEERS } from './lib/peers.mjs'
import { inTurns } from './lib/rounds.mjs'
import { APPS } from './lib/session.mjs'

/** Fills the page cache and the caches of compiled code, which everycore writes after a second. All peers live as long. */
const WARM_UP_MS = 1500

const CASES = [
  { app: 'small', title: 'small app (a bare http server)' },
  { app: 'loaded', title: 'app that loads 250 modules of 4 kB' },
]

/** Takes the place of the preload in a copy of the package: the same, with a clock around it. */
const TIMED_PRELOAD = `
const before = performance.now()
require('./preload-original.cjs')
const after = performance.now()
globalThis[Symbol.for('bench.preload')] = { before, tookMs: after - before }
`

export const bench = {
  name: 'boot',
  title: 'time from the command until all workers listen',
  usesWrk: false,
  async run(context) {
    const { session, node } = context
    const modules = makeModules(join(session.directory, 'modules'))
    for (const one of CASES) await runCase(one, { ...context, env: { BENCH_MODULES: modules } })
    await runPreload(context)
    context.report.print(`   (Node ${node.version}: caches of compiled code were warm)`)
  },
}

async function runCase({ app, title }, { session, node, options, report, env }) {
  const { workers, rounds = 11 } = options
  const keys = choosePeers({ session, node, options }, ['everycore', 'json', 'rr', 'none', 'pm2'])
  const script = join(APPS, `${app}.cjs`)
  const once = async (key, uptimeMs = 0) => {
    const peer = await PEERS[key].start(session, { script, workers, node, env })
    if (uptimeMs > 0) await setTimeout(uptimeMs)
    await peer.stop()
    return times(peer)
  }
  for (const key of keys) await once(key, WARM_UP_MS)
  const results = await inTurns(keys, rounds, (key) => once(key))
  report.keep(app, results)
  const column = (key, field) => results[key].map((result) => result[field])
  const against = (key, field) => (keys.includes('rr') ? formatSpread(pairRatios(column(key, field), column('rr', field)), 2) : '-')
  report.print(`\n${title}`)
  report.print(
    table(
      ['peer', 'all ready ms', 'x cluster rr', 'ms more', 'until 1st worker starts ms', 'from there to all ready ms', 'x cluster rr', 'boot of a worker ms'],
      keys.map((key) => [
        PEERS[key].name,
        formatSpread(column(key, 'total')),
        against(key, 'total'),
        keys.includes('rr') ? formatSpread(pairDifferences(column(key, 'total'), column('rr', 'total'))) : '-',
        formatSpread(column(key, 'untilSpawn')),
        formatSpread(column(key, 'fromSpawn')),
        against(key, 'fromSpawn'),
        formatSpread(column(key, 'worker')),
      ]),
    ),
  )
  report.print()
  if (keys.includes('rr')) report.atMost(`${title}: time until all workers are ready, against node:cluster`, median(pairRatios(column('everycore', 'total'), column('rr', 'total'))), 1.15, ' x')
}

/** All in ms: of the command, of the first worker process, of the slowest worker. */
function times({ startedAt, ready }) {
  const last = Math.max(...ready.map(({ at }) => at))
  const first = Math.min(...ready.map((entry) => entry.startedAt))
  return { total: last - startedAt, untilSpawn: first - startedAt, fromSpawn: last - first, worker: median(ready.map((entry) => entry.at - entry.startedAt)) }
}

async function runPreload({ session, node, options, report }) {
  const { rounds = 11 } = options
  const timed = join(session.package, `dist-timed-${node.major}`)
  cpSync(join(session.package, 'dist'), timed, { recursive: true })
  renameSync(join(timed, 'worker/preload.cjs'), join(timed, 'worker/preload-original.cjs'))
  writeFileSync(join(timed, 'worker/preload.cjs'), TIMED_PRELOAD)
  // One worker: two would fight for the cores with each other and with the primary.
  const script = join(APPS, 'small.cjs')
  const peers = { everycore: everycore({ dist: `dist-timed-${node.major}` }), rr: PEERS.rr }
  const once = async (key, uptimeMs = 0) => {
    const peer = await peers[key].start(session, { script, workers: 1, node })
    if (uptimeMs > 0) await setTimeout(uptimeMs)
    await peer.stop()
    const [{ at, startedAt, preload }] = peer.ready
    return { preload: preload?.tookMs, boot: at - startedAt }
  }
  for (const key of Object.keys(peers)) await once(key, WARM_UP_MS)
  const results = await inTurns(Object.keys(peers), rounds * 2, (key) => once(key))
  const preload = results.everycore.map((result) => result.preload)
  const boot = (key) => results[key].map((result) => result.boot)
  const bytes = ['preload', 'hook'].reduce((sum, name) => sum + statSync(join(session.package, `dist/worker/${name}.cjs`)).size, 0)
  report.keep('preload', { results, bytes })
  report.print('\npreload (one worker)')
  report.print(
    table(
      ['', 'ms'],
      [
        ['time in the preload', formatSpread(preload, 2)],
        ['boot of the worker until it listens, with it', formatSpread(boot('everycore'), 2)],
        ['the same under node:cluster, without', formatSpread(boot('rr'), 2)],
        ['difference', formatSpread(pairDifferences(boot('everycore'), boot('rr')), 2)],
      ],
    ),
  )
  report.print()
  report.atMost('time in the preload', median(preload), 5, ' ms')
  report.atMost('size of the preload', bytes / 1024, 64, ' kB')
}

await runAlone(bench, import.meta.url)
