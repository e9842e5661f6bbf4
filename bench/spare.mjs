/** Claim: with a spare, the slot of a killed worker accepts again at once, however long the app boots; without, after its boot. */
import { join } from 'node:path'
import { runAlone } from './lib/bench.mjs'
import { observed } from './lib/observed.mjs'
import { makeModules } from './lib/modules.mjs'
import { formatSpread, median, pairDifferences, table } from './lib/numbers.mjs'
import { lightLoad } from './lib/raw-client.mjs'
import { now, readReady } from './lib/ready.mjs'
import { inTurns } from './lib/rounds.mjs'
import { APPS, signal, sleep, until } from './lib/session.mjs'

const CALM_MS = 3000
const WAYS = { with: { name: '--spare 1', args: ['--spare', '1'] }, without: { name: 'no spare', args: [] } }

export const bench = {
  name: 'spare',
  title: 'SIGKILL of a worker until its slot accepts again, with a spare and without',
  usesWrk: false,
  async run({ session, node, options, report }) {
    const { workers, rounds = 5 } = options
    const env = { BENCH_MODULES: makeModules(session.makeDirectory('modules')) }
    const results = await inTurns(Object.keys(WAYS), rounds, (way) => killOnce(WAYS[way], session, { script: join(APPS, 'loaded.cjs'), workers, node, env }))
    report.keep('kills', results)
    const of = (way, field) => results[way].map((result) => result[field])
    report.print(
      table(
        ['', 'kill to ready ms', 'boot of a worker ms', 'requests', 'lost'],
        Object.keys(WAYS).map((way) => [WAYS[way].name, formatSpread(of(way, 'readyMs')), formatSpread(of(way, 'bootMs')), sum(of(way, 'sent')), sum(of(way, 'lost'))]),
      ),
    )
    report.print('(ready: the event worker:ready of the slot is read from the log of everycore)\n')
    report.atMost('with a spare: from the kill until the slot accepts', median(of('with', 'readyMs')), 50, ' ms')
    report.atMost("without: the same beyond the boot of the replacement", median(pairDifferences(of('without', 'readyMs'), of('without', 'bootMs'))), 100, ' ms')
  },
}

const sum = (values) => values.reduce((total, value) => total + value, 0)

async function killOnce({ args }, session, start) {
  const { events, peer } = observed(args)
  const running = await peer.start(session, start)
  try {
    await sleep(CALM_MS)
    const load = lightLoad(running.port)
    await sleep(500)
    const { slot, workerPid } = events.find(({ event }) => event === 'worker:spawned')
    const known = new Set(readReady(running.readyDirectory).map(({ pid }) => pid))
    const killedAt = now()
    signal(workerPid, 'SIGKILL')
    const ready = await until(() => events.find(({ event, at, slot: other }) => event === 'worker:ready' && other === slot && at > killedAt), 'worker:ready in the log', { everyMs: 1 })
    const next = await until(() => readReady(running.readyDirectory).find(({ pid }) => !known.has(pid)), 'the replacement to listen')
    running.pids.workers.push(next.pid)
    await sleep(300)
    const { sent, lost } = await load.stop()
    // A spare has booted long before.
    const bootMs = args.length > 0 ? Number.NaN : next.at - next.startedAt
    return { readyMs: ready.at - killedAt, bootMs, sent, lost }
  } finally {
    await running.stop()
  }
}

await runAlone(bench, import.meta.url)
