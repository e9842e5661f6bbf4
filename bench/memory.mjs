/** Claim: what everycore adds to a process is small: 15 MB in the supervisor, 3 MB in a worker, above bare node:cluster. */
import { join } from 'node:path'
import { runAlone } from './lib/bench.mjs'
import { formatSpread, median, pairDifferences, table } from './lib/numbers.mjs'
import { choosePeers, PEERS } from './lib/peers.mjs'
import { children, cpuMicros, memory } from './lib/proc.mjs'
import { fixedLoad } from './lib/raw-client.mjs'
import { inTurns } from './lib/rounds.mjs'
import { APPS, sleep } from './lib/session.mjs'

const IDLE_MS = 4000
const SETTLE_MS = 2000

export const bench = {
  name: 'memory',
  usesWrk: false,
  title: `resident memory in MB, ${IDLE_MS / 1000} s after the start and after load`,
  async run({ session, node, options, report }) {
    const { workers, rounds = 3 } = options
    const keys = choosePeers({ session, node, options }, ['everycore', 'json', 'rr', 'none', 'pm2', 'plain'])
    const results = await inTurns(keys, rounds, (key) => measureOnce(PEERS[key], { session, node, workers }))
    report.keep('rounds', results)
    for (const moment of ['idle', 'loaded']) printMoment(moment, keys, results, report)
    if (!keys.includes('rr')) return
    for (const moment of ['idle', 'loaded']) {
      const when = moment === 'idle' ? 'idle' : 'after load'
      const above = (key, who) => median(pairDifferences(column(results, key, moment, who, 'rss'), column(results, 'rr', moment, who, 'rss')))
      report.atMost(`supervisor above the primary of node:cluster, ${when} (RSS)`, above('everycore', 'primary'), 15, ' MB')
      if (keys.includes('json')) report.atMost(`the same with --log-format json, ${when} (RSS)`, above('json', 'primary'), 15, ' MB')
      report.atMost(`worker above a worker of node:cluster, ${when} (RSS)`, above('everycore', 'worker'), 3, ' MB')
    }
  },
}

async function measureOnce(peer, { session, node, workers }) {
  const running = await peer.start(session, { script: join(APPS, 'small.cjs'), workers, node })
  try {
    await sleep(IDLE_MS / 2)
    const before = cpuMicros(running.pids.primary)
    await sleep(IDLE_MS / 2)
    const idleCpu = (cpuMicros(running.pids.primary) - before) / (IDLE_MS / 2000)
    const idle = { ...sample(running), idleCpu }
    // The same work for all: who answers more in a given time has a larger heap only because of that.
    await fixedLoad(running.port, { requests: 20_000, perConnection: 500 })
    await fixedLoad(running.port, { requests: 5000, perConnection: 1 })
    await sleep(SETTLE_MS)
    return { idle, loaded: sample(running) }
  } finally {
    await running.stop()
  }
}

function sample({ pids, hasPrimary }) {
  const workers = pids.workers.map((pid) => memory(pid))
  const mean = (field) => workers.reduce((sum, one) => sum + one[field], 0) / workers.length
  const worker = { rss: mean('rss'), pss: mean('pss'), private: mean('private') }
  // The guardian of everycore, a small `sh`.
  const helpers = children(pids.primary).filter((pid) => !pids.workers.includes(pid))
  const helper = hasPrimary ? helpers.reduce((sum, pid) => sum + memory(pid).rss, 0) : 0
  return { primary: memory(pids.primary), worker, helper }
}

function column(results, key, moment, who, field) {
  return results[key].map((result) => result[moment][who][field])
}

function printMoment(moment, keys, results, report) {
  report.print(moment === 'idle' ? 'Idle' : '\nAfter load (20,000 requests on 40 connections, then 5,000 new connections)')
  report.print(
    table(
      ['peer', 'primary RSS', 'PSS', 'private', 'above rr (RSS)', 'worker RSS', 'PSS', 'private', 'above rr (RSS)', ...(moment === 'idle' ? ['helper RSS', 'primary us CPU/s'] : [])],
      keys.map((key) => {
        const get = (who, field) => column(results, key, moment, who, field)
        const above = (who) => (keys.includes('rr') ? formatSpread(pairDifferences(get(who, 'rss'), column(results, 'rr', moment, who, 'rss'))) : '-')
        const primary = PEERS[key] === PEERS.plain ? ['-', '-', '-', '-'] : [formatSpread(get('primary', 'rss')), median(get('primary', 'pss')).toFixed(1), median(get('primary', 'private')).toFixed(1), above('primary')]
        const worker = [formatSpread(get('worker', 'rss')), median(get('worker', 'pss')).toFixed(1), median(get('worker', 'private')).toFixed(1), above('worker')]
        const more = moment === 'idle' ? [median(results[key].map(({ idle }) => idle.helper)).toFixed(1), Math.round(median(results[key].map(({ idle }) => idle.idleCpu)))] : []
        return [PEERS[key].name, ...primary, ...worker, ...more]
      }),
    ),
  )
  report.print()
}

await runAlone(bench, import.meta.url)
