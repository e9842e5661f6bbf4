/** Claim: a worker that hangs is replaced soon after the hang timeout, and those beside it do not notice. */
import { connect } from 'node:net'
import { join } from 'node:path'
import { runAlone } from './lib/bench.mjs'
import { everycore } from './lib/everycore.mjs'
import { formatSpread, median, pairRatios, table } from './lib/numbers.mjs'
import { request } from './lib/raw-client.mjs'
import { now, waitReady } from './lib/ready.mjs'
import { inTurns } from './lib/rounds.mjs'
import { APPS, sleep } from './lib/session.mjs'

const HANG_TIMEOUT_MS = 3000
const CALM_MS = 1500
const BEFORE_MS = HANG_TIMEOUT_MS
const EVERY_MS = 5

/** What others have for it is nothing: node:cluster and PM2 leave a worker in a loop where it is. */
const PEER = everycore({ settings: { hangTimeout: `${HANG_TIMEOUT_MS}ms` } })

export const bench = {
  name: 'hang',
  title: `one worker in a loop without end, --hang-timeout ${HANG_TIMEOUT_MS / 1000}s, a new connection each ${EVERY_MS} ms`,
  usesWrk: false,
  async run({ session, node, options, report }) {
    const { workers, rounds = 5 } = options
    const { everycore: results } = await inTurns(['everycore'], rounds, () => hangOnce(session, { script: join(APPS, 'holds.cjs'), workers, node }))
    report.keep('hangs', results)
    const of = (field) => results.map((result) => result[field])
    const ratios = pairRatios(of('during'), of('before'))
    report.print(
      table(
        ['', 'p99 before ms', 'p99 meanwhile ms', 'meanwhile / before', 'hang to replacement ms', 'beyond the hang timeout ms', 'requests', 'lost'],
        [['everycore', formatSpread(of('before')), formatSpread(of('during')), formatSpread(ratios, 2), formatSpread(of('replacedMs'), 0), formatSpread(of('beyondMs'), 0), sum(of('sent')), sum(of('lost'))]],
      ),
    )
    report.print()
    report.atMost('p99 of the others while one hangs / before', median(ratios), 2)
    report.atMost('from the hang to the replacement, beyond the hang timeout', median(of('beyondMs')), 1500, ' ms')
  },
}

const sum = (values) => values.reduce((total, value) => total + value, 0)

async function hangOnce(session, start) {
  const running = await PEER.start(session, start)
  try {
    await sleep(CALM_MS)
    const first = steadyLoad(running.port)
    await sleep(BEFORE_MS)
    const before = await first.stop()
    const old = [...running.pids.workers]
    const hungAt = now()
    const hung = connect(running.port, '127.0.0.1', () => hung.write('GET /hang HTTP/1.1\r\nHost: bench\r\n\r\n'))
    hung.on('error', () => {})
    const load = steadyLoad(running.port)
    const entries = await waitReady(running.readyDirectory, (found) => found.some(({ pid }) => !old.includes(pid)))
    const replacement = entries.find(({ pid }) => !old.includes(pid))
    running.pids.workers.push(replacement.pid)
    const during = await load.stop()
    hung.destroy()
    const replacedMs = replacement.at - hungAt
    return { before: percentile(before.times, 0.99), during: percentile(during.times, 0.99), replacedMs, beyondMs: replacedMs - HANG_TIMEOUT_MS, sent: during.sent, lost: during.lost }
  } finally {
    await running.stop()
  }
}

/** How long each request took, those without an answer included: they took as long as it was until that was known. */
function steadyLoad(port) {
  const asked = []
  const times = []
  const ask = async () => {
    const began = now()
    const outcome = await request(port, 20_000)
    times.push(now() - began)
    return outcome
  }
  const timer = setInterval(() => asked.push(ask()), EVERY_MS)
  return {
    async stop() {
      clearInterval(timer)
      const outcomes = await Promise.all(asked)
      return { times, sent: outcomes.length, lost: outcomes.filter((outcome) => outcome !== 'ok').length }
    },
  }
}

function percentile(values, part) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
}

await runAlone(bench, import.meta.url)
