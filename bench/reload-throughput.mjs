/** Claim: a reload takes hardly any throughput, and no longer than its workers need to boot. */
import { join } from 'node:path'
import { runAlone } from './lib/bench.mjs'
import { neverPause } from './lib/endless-client.mjs'
import { everycore } from './lib/everycore.mjs'
import { total } from './lib/load-table.mjs'
import { makeModules } from './lib/modules.mjs'
import { formatSpread, median, pairRatios, table } from './lib/numbers.mjs'
import { choosePeers, PEERS } from './lib/peers.mjs'
import { isAlive } from './lib/proc.mjs'
import { now, waitReady } from './lib/ready.mjs'
import { inTurns } from './lib/rounds.mjs'
import { APPS, sleep, until } from './lib/session.mjs'

const CONNECTIONS = 16
const CALM_MS = 2000
const BEFORE_MS = 3000
/** PM2 and the rolling restart of articles may have to wait for connections that never pause. */
const GONE_MS = 30_000

/** Without a trial of each worker, so that what is left is boots and drains. */
const QUICK = everycore({ name: 'everycore --min-uptime 0', settings: { minUptime: '0' } })
const WAYS = { ...PEERS, quick: QUICK }

export const bench = {
  name: 'reload-throughput',
  title: `a reload under ${CONNECTIONS} connections that never pause`,
  usesWrk: false,
  async run(context) {
    const { session, node, options, report } = context
    const { workers, rounds = 3 } = options
    const peers = choosePeers({ session, node, options }, ['everycore', 'rr', 'pm2'])
    const keys = peers.includes('everycore') ? ['quick', ...peers] : peers
    const env = { BENCH_MODULES: makeModules(session.makeDirectory('modules')) }
    const start = { script: join(APPS, 'loaded.cjs'), workers, node, env }
    const results = await inTurns(keys, rounds, (key) => reloadOnce(WAYS[key], session, start))
    report.keep('reloads', results)
    const column = (key, field) => results[key].map((result) => result[field])
    report.print(
      table(
        ['peer', 'requests/s before', 'throughput in the reload / before', 'reload ms', 'boot of a worker ms', 'reload / N boots', 'without an answer'],
        keys.map((key) => [
          WAYS[key].name,
          formatSpread(column(key, 'before'), 0),
          formatSpread(column(key, 'ratio'), 2),
          formatSpread(column(key, 'tookMs'), 0),
          formatSpread(column(key, 'bootMs'), 0),
          formatSpread(timesBoots(column(key, 'tookMs'), column(key, 'bootMs'), workers), 2),
          total(column(key, 'errors')),
        ]),
      ),
    )
    report.print('(reload: until all replacements listen and all old workers are gone)\n')
    if (!keys.includes('quick')) return
    report.atLeast('throughput in a reload / before', median(column('everycore', 'ratio')), 0.8)
    report.atLeast('throughput in a reload without trials / before', median(column('quick', 'ratio')), 0.8)
    report.atMost('a reload without trials / N boots', median(timesBoots(column('quick', 'tookMs'), column('quick', 'bootMs'), workers)), 1.1)
    report.atMost('requests without an answer', total([...column('quick', 'errors'), ...column('everycore', 'errors')]), 0)
  },
}

const timesBoots = (tookMs, bootMs, workers) => pairRatios(tookMs, bootMs.map((ms) => ms * workers))

const without = (pids, entries) => entries.filter(({ pid }) => !pids.includes(pid))

async function reloadOnce(peer, session, start) {
  const running = await peer.start(session, start)
  const load = neverPause(running.port, CONNECTIONS)
  try {
    await sleep(CALM_MS)
    const before = await rateUntil(load, () => sleep(BEFORE_MS))
    const old = [...running.pids.workers]
    let bootMs
    let tookMs
    const meanwhile = await rateUntil(load, async () => {
      const began = now()
      const asked = Promise.resolve(running.reload())
      const entries = without(old, await waitReady(running.readyDirectory, (found) => without(old, found).length >= start.workers, GONE_MS))
      await until(() => !old.some((pid) => isAlive(pid)), 'the old workers to end', { timeoutMs: GONE_MS })
      tookMs = now() - began
      running.pids.workers.push(...entries.map(({ pid }) => pid))
      bootMs = median(entries.map(({ at, startedAt }) => at - startedAt))
      await asked
    })
    const { errors } = await load.stop()
    return { before, ratio: meanwhile / before, tookMs, bootMs, errors }
  } finally {
    await load.stop()
    await running.stop()
  }
}

/** Answers a second while something happens. */
async function rateUntil({ counts }, action) {
  const [requests, began] = [counts.requests, now()]
  await action()
  return (1000 * (counts.requests - requests)) / (now() - began)
}

await runAlone(bench, import.meta.url)
