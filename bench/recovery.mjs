/** Claim: a killed worker is back after its own boot time, and connections that wait meanwhile are not lost, not even when all workers are killed. */
import { join } from 'node:path'
import { runAlone } from './lib/bench.mjs'
import { formatSpread, median, pairDifferences, table } from './lib/numbers.mjs'
import { observed } from './lib/observed.mjs'
import { choosePeers, PEERS } from './lib/peers.mjs'
import { isAlive } from './lib/proc.mjs'
import { lightLoad, request, tally } from './lib/raw-client.mjs'
import { now, waitReady } from './lib/ready.mjs'
import { inTurns } from './lib/rounds.mjs'
import { APPS, signal, sleep, until } from './lib/session.mjs'

/** The workers have proven themselves, and their files are written. */
const CALM_MS = 1500
const CONNECTIONS = 50

export const bench = {
  name: 'recovery',
  title: 'SIGKILL of one worker, and of all workers at once',
  usesWrk: false,
  async run(context) {
    await runOne(context)
    await runAll(context)
  },
}

async function runOne({ session, node, options, report }) {
  const { workers, rounds = 7 } = options
  const keys = choosePeers({ session, node, options }, ['everycore', 'rr', 'none', 'pm2'])
  const script = join(APPS, 'small.cjs')
  const results = await inTurns(keys, rounds, async (key) => {
    const { events, peer } = key === 'everycore' ? observed() : { events: undefined, peer: PEERS[key] }
    const running = await peer.start(session, { script, workers, node })
    try {
      const load = lightLoad(running.port)
      await sleep(CALM_MS)
      const before = new Set(running.pids.workers)
      const killedAt = now()
      signal(running.pids.workers[0], 'SIGKILL')
      const entries = await waitReady(running.readyDirectory, (found) => found.some(({ pid }) => !before.has(pid)))
      const replacement = entries.find(({ pid }) => !before.has(pid))
      running.pids.workers.push(replacement.pid)
      const readyEvent = events === undefined ? undefined : await until(() => events.find(({ event, at }) => event === 'worker:ready' && at > killedAt), 'worker:ready in the log')
      await sleep(300)
      const { sent, lost } = await load.stop()
      return {
        listens: replacement.at - killedAt,
        ready: (readyEvent?.at ?? replacement.at) - killedAt,
        spawned: replacement.startedAt - killedAt,
        boot: replacement.at - replacement.startedAt,
        sent,
        lost,
      }
    } finally {
      await running.stop()
    }
  })
  report.keep('one', results)
  const column = (key, field) => results[key].map((result) => result[field])
  const sum = (key, field) => column(key, field).reduce((total, count) => total + count, 0)
  report.print('one of the workers is killed under light load (100 new connections a second)')
  report.print(
    table(
      ['peer', 'kill to replacement ready ms', 'kill to listening ms', 'kill to process start ms', 'boot of the replacement ms', 'requests', 'lost'],
      keys.map((key) => [PEERS[key].name, ...['ready', 'listens', 'spawned', 'boot'].map((field) => formatSpread(column(key, field))), sum(key, 'sent'), sum(key, 'lost')]),
    ),
  )
  report.print('(ready: for everycore the event worker:ready is read from its log, for the others the worker listens)\n')
  if (!keys.includes('rr')) return
  report.atMost("recovery beyond the app's own boot time under bare node:cluster", median(pairDifferences(column('everycore', 'ready'), column('rr', 'boot'))), 50, ' ms')
}

async function runAll({ session, node, options, report }) {
  const { workers, rounds = 3 } = options
  const keys = choosePeers({ session, node, options }, ['everycore', 'rr', 'none', 'pm2'])
  for (const queued of [0, CONNECTIONS / 2]) {
    const results = await inTurns(keys, rounds, (key) => killAll(PEERS[key], { session, node, workers, queued }))
    report.keep(`all, ${queued} queued`, results)
    const what = queued === 0 ? `${CONNECTIONS} connections opened while no worker lives` : `${queued} connections queued before the kill, ${CONNECTIONS - queued} opened while no worker lives`
    report.print(`\nall workers are killed at once: ${what}`)
    report.print(
      table(
        ['peer', 'kill to first answer ms', 'connections', 'answered', 'lost', 'how'],
        keys.map((key) => {
          const all = tally(results[key].flatMap(({ outcomes }) => outcomes))
          const how = Object.entries(all.counts)
            .filter(([outcome]) => outcome !== 'ok')
            .map(([outcome, count]) => `${count} ${outcome}`)
          return [PEERS[key].name, formatSpread(results[key].map(({ firstMs }) => firstMs)), all.sent, all.sent - all.lost, all.lost, how.join(', ')]
        }),
      ),
    )
    report.print()
    report.atMost(`all workers killed, ${what}: lost`, tally(results.everycore.flatMap(({ outcomes }) => outcomes)).lost, 0)
  }
}

async function killAll(peer, { session, node, workers, queued }) {
  const running = await peer.start(session, { script: join(APPS, 'small.cjs'), workers, node })
  try {
    await sleep(CALM_MS)
    const { port, pids } = running
    const before = [...pids.workers]
    let firstAt = Number.POSITIVE_INFINITY
    const ask = async () => {
      const outcome = await request(port)
      if (outcome === 'ok') firstAt = Math.min(firstAt, now())
      return outcome
    }
    const asked = []
    if (queued > 0) {
      for (const pid of before) signal(pid, 'SIGSTOP')
      for (let count = 0; count < queued; count += 1) asked.push(ask())
      await sleep(100)
    }
    const killedAt = now()
    for (const pid of before) signal(pid, 'SIGKILL')
    await until(() => !before.some((pid) => isAlive(pid)), 'the workers to die', { everyMs: 1 })
    for (let count = queued; count < CONNECTIONS; count += 1) asked.push(ask())
    const outcomes = await Promise.all(asked)
    const entries = await waitReady(running.readyDirectory, (found) => found.filter(({ pid }) => !before.includes(pid)).length >= workers)
    pids.workers.push(...entries.map(({ pid }) => pid))
    return { outcomes, firstMs: firstAt - killedAt }
  } finally {
    await running.stop()
  }
}

await runAlone(bench, import.meta.url)
