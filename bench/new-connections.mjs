/** Claim: a connection for each request costs the supervisor nothing, and workers accept by themselves. */
import { join } from 'node:path'
import { runAlone } from './lib/bench.mjs'
import { format, formatSpread, median, pairRatios, table } from './lib/numbers.mjs'
import { choosePeers, PEERS } from './lib/peers.mjs'
import { inTurns } from './lib/rounds.mjs'
import { APPS } from './lib/session.mjs'
import { measure, wrk } from './lib/wrk.mjs'

const HEADERS = ['Connection: close']

export const bench = {
  name: 'new-connections',
  title: "a new connection for each request (wrk -t1 -c64 -H 'Connection: close')",
  async run({ session, node, options, report }) {
    const { workers, rounds = 5, seconds = 3 } = options
    const keys = choosePeers(session, ['everycore', 'none', 'rr', 'pm2', 'plain'], options.peers)
    const results = await inTurns(keys, rounds, async (key) => {
      const peer = await PEERS[key].start(session, { script: join(APPS, 'small.cjs'), workers, node })
      try {
        await wrk(peer.url, { seconds: 1, headers: HEADERS })
        return await measure(peer, { seconds, headers: HEADERS })
      } finally {
        await peer.stop()
      }
    })
    report.keep('rounds', results)
    const column = (key, field) => results[key].map((result) => result[field])
    report.print(
      table(
        ['peer', 'req/s', 'everycore / peer', 'primary us/req', 'workers us/req', 'CPU peer / everycore', 'wrk cores', 'p50 ms', 'p99 ms', 'errors'],
        keys.map((key) => [
          PEERS[key].name,
          formatSpread(column(key, 'rps'), 0),
          formatSpread(pairRatios(column('everycore', 'rps'), column(key, 'rps')), 2),
          PEERS[key] === PEERS.plain ? '-' : formatSpread(column(key, 'primaryMicros'), 2),
          formatSpread(column(key, 'workerMicros'), 1),
          formatSpread(pairRatios(column(key, 'allMicros'), column('everycore', 'allMicros')), 2),
          format(median(column(key, 'wrkCpu')), 2),
          format(median(column(key, 'p50')), 1),
          format(median(column(key, 'p99')), 1),
          column(key, 'errors').reduce((sum, count) => sum + count, 0),
        ]),
      ),
    )
    report.print()
    const ratio = (key) => median(pairRatios(column('everycore', 'rps'), column(key, 'rps')))
    if (keys.includes('rr')) report.atLeast('requests/s against node:cluster round-robin', ratio('rr'), 2, ' x')
    if (keys.includes('pm2')) report.atLeast('requests/s against PM2 7 cluster mode', ratio('pm2'), 2, ' x')
    if (keys.includes('none')) report.atLeast('requests/s against bare SCHED_NONE', ratio('none'), 0.95, ' x')
    report.atMost('CPU of the supervisor for each connection', median(column('everycore', 'primaryMicros')), 2, ' us')
    report.atMost('failed requests', column('everycore', 'errors').reduce((sum, count) => sum + count, 0), 0)
  },
}

await runAlone(bench, import.meta.url)
