/** Claim: that requests are counted costs less than 2 % of the throughput, and a scrape hardly anything. */
import { join } from 'node:path'
import { runAlone } from './lib/bench.mjs'
import { everycore } from './lib/everycore.mjs'
import { columnOf, loadTable, total } from './lib/load-table.mjs'
import { measure } from './lib/measure.mjs'
import { formatSpread, median, pairRatios } from './lib/numbers.mjs'
import { PEERS } from './lib/peers.mjs'
import { cpuOf } from './lib/proc.mjs'
import { freePort } from './lib/running.mjs'
import { APPS, sleep } from './lib/session.mjs'
import { wrk } from './lib/wrk.mjs'

const SCRIPT = join(APPS, 'small.cjs')
/** Pairs of loads between two starts. */
const TURNS = 10
const SCRAPES = 50
/** Answers are kept for less: each scrape asks the workers. */
const PAUSE_MS = 250

export const bench = {
  name: 'metrics',
  title: 'counting requests on 64 connections (wrk -t1 -c64), and scrapes',
  async run(context) {
    await runCounting(context)
    await runScrapes(context)
  },
}

/**
 * Two servers that live side by side, and short loads on them in turns: what is to be seen is smaller than what separates
 * one minute of a machine from the next, or one start of a process from another.
 */
async function runCounting({ session, node, options, report }) {
  const { workers, rounds = 4, seconds = 1 } = options
  const keys = ['everycore', 'uncounted']
  const results = Object.fromEntries(keys.map((key) => [key, []]))
  for (let round = 0; round < rounds; round += 1) {
    const peers = await Promise.all(keys.map((key) => PEERS[key].start(session, { script: SCRIPT, workers, node })))
    for (const peer of peers) await wrk(peer.url, { seconds: 2 })
    for (let turn = 0; turn < TURNS; turn += 1) {
      for (const index of turn % 2 === 0 ? [0, 1] : [1, 0]) results[keys[index]].push(await measure(peers[index], { seconds }, (halfway) => wrk(peers[index].url, { seconds, halfway })))
    }
    for (const peer of peers) await peer.stop()
    process.stderr.write(`\r  round ${round + 1} of ${rounds}${round + 1 === rounds ? '\n' : ''}`)
  }
  report.keep('counting', results)
  report.print(loadTable(keys, results, ['rps', 'ratio', 'primary', 'workers', 'cpu', 'client', 'balance', 'p50', 'p99', 'errors']))
  report.print()
  const column = columnOf(results)
  const throughput = pairRatios(column('everycore', 'rps'), column('uncounted', 'rps'))
  const cpu = pairRatios(column('everycore', 'workerMicros'), column('uncounted', 'workerMicros'))
  report.print(`counted / not counted, pair by pair: requests/s ${formatSpread(throughput, 3)}, CPU of the workers for each request ${formatSpread(cpu, 3)}`)
  report.atLeast('requests/s with counting against without', median(throughput), 0.98, ' x')
  report.atMost('failed requests', total(column('everycore', 'errors')), 0)
}

async function runScrapes({ session, node, options, report }) {
  const port = await freePort()
  const peer = await everycore({ args: ['--metrics', String(port)] }).start(session, { script: SCRIPT, workers: options.workers, node })
  const scrape = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  await sleep(1500)
  for (let count = 0; count < 5; count += 1) await scrape()
  const before = cpuOf(peer.pids.front)
  let bytes = 0
  for (let count = 0; count < SCRAPES; count += 1) {
    bytes = (await scrape()).length
    await sleep(PAUSE_MS)
  }
  const micros = (cpuOf(peer.pids.front) - before) / SCRAPES
  await peer.stop()
  report.keep('scrapes', { micros, bytes })
  report.print(`a scrape of ${options.workers} workers: ${bytes} bytes`)
  report.atMost('CPU of the supervisor for each scrape, and for what it does besides in a quarter of a second', micros / 1000, 10, ' ms')
}

await runAlone(bench, import.meta.url)
