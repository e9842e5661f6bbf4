/** One scenario with one product: started, loaded, hurt, and reckoned up. */
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { freePort } from '../../bench/lib/running.mjs'
import { findByEnvironment, isAlive } from '../../bench/lib/proc.mjs'
import { signal, sleep, until } from '../../bench/lib/session.mjs'
import { Cleanup } from '../../test/chaos/cleanup.ts'
import { Ledger } from '../../test/harness/load/ledger.ts'
import { Load } from '../../test/harness/load/load.ts'
import { startProduct } from './products.mjs'
import { RELEASE } from './scenarios.mjs'

/** What all products know. */
const MIX = { 'keep-alive': 16, fresh: 8, slow: 4, upload: 2, events: 3, hunter: 16 }
const PATIENCE_MS = 4000

export async function trial({ session, node, workers, seed }, product, scenario) {
  const cleanup = new Cleanup()
  const ledger = new Ledger(cleanup)
  const port = await freePort()
  let load
  const running = await startProduct(product, { session, node, ledger, workers, port, release: RELEASE, onDrain: (inMs) => load?.announceDrain(inMs) })
  const workerPids = () => [...new Set(readdirSync(ledger.directory).map((name) => Number(name.split('-', 1)[0])))].filter((pid) => isAlive(pid))
  try {
    await until(() => readdirSync(ledger.directory).length >= workers, 'all workers to boot')
    load = new Load({ port }, { seed, mix: scenario.endsProduct ? {} : MIX, ledger, patienceMs: PATIENCE_MS })
    if (!scenario.endsProduct) await load.settled(100)
    // The young age of the workers is no part of the scenario.
    await sleep(2000)
    const faults = await scenario.run({ running, workerPids, workers, askForLoop: () => connect(port, '127.0.0.1').on('error', () => {}).end('GET /hang HTTP/1.1\r\nhost: test\r\n\r\n') })
    const report = await load.stop()
    const orphans = scenario.endsProduct ? findByEnvironment(session.mark).length : undefined
    return { ...reckon(report, faults), orphans }
  } finally {
    await load?.end()
    await running.stop().catch(() => {})
    for (const pid of findByEnvironment(session.mark)) signal(pid, 'SIGKILL')
    await until(() => findByEnvironment(session.mark).length === 0, 'the last process to end')
    await cleanup.run()
  }
}

/** Recovery: from a fault until the last request that failed before the next one, and until the first new connection was answered. */
function reckon({ sent, fates, entries, flaws }, faults) {
  const failed = entries.filter(({ fate }) => fate !== 'ok' && fate !== 'declined')
  const isServing = entries.slice(-20).some(({ fate }) => fate === 'ok')
  const recoveries = faults.map((at, index) => {
    const end = faults[index + 1] ?? Number.POSITIVE_INFINITY
    const first = entries.find(({ fate, connectAt }) => fate === 'ok' && connectAt >= at)?.settledAt ?? Number.POSITIVE_INFINITY
    return Math.max(first, ...failed.flatMap(({ settledAt }) => (settledAt >= at && settledAt < end ? [settledAt] : []))) - at
  })
  return {
    sent,
    lost: fates['lost-before-reply'] + fates['lost-in-reply'],
    refused: fates.refused,
    stuck: fates.stuck,
    other: fates.wrong + fates.error + flaws.length,
    recoveries: isServing ? recoveries : recoveries.map(() => Number.POSITIVE_INFINITY),
  }
}
