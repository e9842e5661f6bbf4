/** Claim: in a reload, idle keep-alive connections move to the new workers for little CPU, the old ones leave at once, and no request is lost. */
import { join } from 'node:path'
import { runAlone } from './lib/bench.mjs'
import { neverPause } from './lib/endless-client.mjs'
import { everycore } from './lib/everycore.mjs'
import { holdConnections } from './lib/holding-client.mjs'
import { total } from './lib/load-table.mjs'
import { format, formatSpread, median, pairDifferences, table } from './lib/numbers.mjs'
import { cpuOf } from './lib/proc.mjs'
import { inTurns } from './lib/rounds.mjs'
import { APPS, sleep } from './lib/session.mjs'

const IDLE = 1000
const BUSY = 64
const RELOADS = 3
/** So many that each worker has some of those that keep it. */
const HOLDS_PER_WORKER = 4
const SETTLE_MS = 500

const WAYS = {
  with: { name: 'idle connections move', settings: {} },
  without: { name: '--no-rebalance', settings: { rebalance: false } },
}

export const bench = {
  name: 'migration',
  title: `a reload with ${IDLE} idle keep-alive connections, and with ${BUSY} that never pause`,
  usesWrk: false,
  async run(context) {
    await runTimes(context)
    await runCpu(context)
    await runBusy(context)
  },
}

async function onRunning({ session, node, options }, settings, action, env = {}) {
  const peer = everycore({ settings })
  const running = await peer.start(session, { script: join(APPS, 'holds.cjs'), workers: options.workers, node, counts: true, env })
  try {
    return await action(running)
  } finally {
    await running.stop()
  }
}

/** How long it takes, and what the clients see of it. */
async function runTimes(context) {
  const { options, report } = context
  const results = await inTurns(Object.keys(WAYS), options.rounds ?? 3, (way) => onRunning(context, WAYS[way].settings, async (running) => {
    const held = await holdConnections(running.port, { count: IDLE, overMs: 500 })
    const { finishedMs, leftMs, relayed } = await running.ask('reload', { waitsForOld: true })
    const closed = held.closed()
    held.close()
    return { finishedMs, leftMs, relayed, closed }
  }))
  report.keep('times', results)
  const row = (way) => {
    const of = (field) => results[way].map((result) => result[field])
    return [WAYS[way].name, formatSpread(of('finishedMs'), 0), formatSpread(of('leftMs'), 0), formatSpread(of('relayed'), 0), formatSpread(of('closed'), 0)]
  }
  report.print(`${IDLE} idle connections`)
  report.print(table(['', 'reload finished ms', 'old workers gone ms', 'carried to another worker', 'closed'], Object.keys(WAYS).map(row)))
  report.print()
  report.atMost('idle connections that a reload closes', total(results.with.map(({ closed }) => closed)), 0)
}

/** The CPU of a reload with idle connections, less that of one without. */
async function runCpu(context) {
  const { options, report } = context
  const counts = { none: 0, some: IDLE }
  const results = await inTurns(Object.keys(counts), options.rounds ?? 5, (key) => onRunning(context, {}, (running) => cpuOfReload(running, counts[key], options.workers), { BENCH_KEEP_ALIVE_MS: '30000' }))
  report.keep('cpu', results)
  const carried = pairDifferences(results.some.map(({ relayed }) => relayed), results.none.map(({ relayed }) => relayed))
  const each = (field) => pairDifferences(results.some.map((result) => result[field]), results.none.map((result) => result[field])).map((micros, round) => micros / carried[round])
  const [supervisor, workers] = [each('supervisor'), each('workers')]
  const sum = supervisor.map((micros, round) => micros + workers[round])
  report.print(`\nCPU for each connection that was carried (${format(median(carried), 0)} in a reload)`)
  report.print(table(['', 'supervisor us', 'workers us', 'together us'], [['idle connections move', ...[supervisor, workers, sum].map((values) => formatSpread(values, 0))]]))
  report.print()
  report.atMost('CPU for each connection that moves', median(sum), 1000, ' us')
}

/** A request that takes longer keeps the old workers, so that their CPU can be read when all has moved. */
async function cpuOfReload(running, count, workers) {
  const held = await holdConnections(running.port, { count, overMs: 200 })
  const holds = holdConnections(running.port, { count: workers * HOLDS_PER_WORKER, path: '/hold' })
  await sleep(SETTLE_MS)
  const before = { supervisor: cpuOf([running.pids.primary]), workers: cpuOf(running.pids.workers) }
  const { workers: successors, relayed } = await running.ask('reload', { waitsForOld: false })
  await sleep(SETTLE_MS)
  const after = { supervisor: cpuOf([running.pids.primary]), workers: cpuOf([...running.pids.workers, ...successors]) }
  held.close()
  ;(await holds).close()
  return { relayed, supervisor: after.supervisor - before.supervisor, workers: after.workers - before.workers }
}

/** Connections that are hardly ever idle. */
async function runBusy(context) {
  const { options, report } = context
  const results = await inTurns(Object.keys(WAYS), options.rounds ?? 3, (way) => onRunning(context, WAYS[way].settings, async (running) => {
    const load = neverPause(running.port, BUSY)
    await sleep(SETTLE_MS)
    let relayed = 0
    for (let nth = 0; nth < RELOADS; nth += 1) relayed += (await running.ask('reload', { waitsForOld: true })).relayed
    return { ...(await load.stop()), relayed }
  }))
  report.keep('busy', results)
  const row = (way) => [WAYS[way].name, ...['requests', 'errors', 'told', 'relayed'].map((field) => format(total(results[way].map((result) => result[field])), 0))]
  report.print(`\n${RELOADS} reloads under ${BUSY} connections that never pause, all rounds together`)
  report.print(table(['', 'requests', 'without an answer', 'connections closed by Connection: close', 'carried to another worker'], Object.keys(WAYS).map(row)))
  report.print()
  report.atMost('requests without an answer', total(results.with.map(({ errors }) => errors)), 0)
}

await runAlone(bench, import.meta.url)
