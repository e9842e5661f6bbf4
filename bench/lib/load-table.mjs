/** Loads on peers in turns, and the columns in which they are told. */
import { format, formatSpread, median, pairRatios, table } from './numbers.mjs'
import { PEERS } from './peers.mjs'
import { inTurns } from './rounds.mjs'

/** Of all values. */
export const total = (values) => values.reduce((sum, value) => sum + value, 0)

/** To each column its head, and what stands in it: `of(field)` are the values of the peer, `base(field)` those of the peer that all are compared with. */
const COLUMNS = {
  rps: ['req/s', ({ of }) => formatSpread(of('rps'), 0)],
  ratio: ['everycore / peer', ({ of, base }) => formatSpread(pairRatios(base('rps'), of('rps')), 2)],
  primary: ['primary us/req', ({ of, peer }) => (peer.hasPrimary === false ? '-' : formatSpread(of('primaryMicros'), 2))],
  workers: ['workers us/req', ({ of }) => formatSpread(of('workerMicros'), 1)],
  cpu: ['CPU peer / everycore', ({ of, base }) => formatSpread(pairRatios(of('allMicros'), base('allMicros')), 2)],
  times: ['req/s, peer / it', ({ of, base }) => formatSpread(pairRatios(of('rps'), base('rps')), 2)],
  cpuTimes: ['CPU, peer / it', ({ of, base }) => formatSpread(pairRatios(of('allMicros'), base('allMicros')), 2)],
  client: ['client cores', ({ of }) => format(median(of('clientCpu')), 2)],
  balance: ['busiest / mean', ({ of }) => formatSpread(of('balance'), 2)],
  p50: ['p50 ms', ({ of }) => format(median(of('p50')), 1)],
  p99: ['p99 ms', ({ of }) => format(median(of('p99')), 1)],
  handedOver: ['handed over', ({ of }) => handedOver(of)],
  errors: ['errors', ({ of }) => total(of('errors'))],
}

/**
 * @param wanted names of COLUMNS
 * @param baseKey the peer that all are compared with
 */
export function loadTable(keys, results, wanted, baseKey = 'everycore') {
  const column = columnOf(results)
  const rows = keys.map((key) => {
    const context = { peer: PEERS[key], of: (field) => column(key, field), base: (field) => column(baseKey, field) }
    return [PEERS[key].name, ...wanted.map((name) => COLUMNS[name][1](context))]
  })
  return table(['peer', ...wanted.map((name) => COLUMNS[name][0].replace(/\bit$/, PEERS[baseKey].name))], rows)
}

/** The values of one field, round by round; none for a peer that was not run. */
export function columnOf(results) {
  return (key, field) => results[key]?.map((result) => result[field]) ?? []
}

/** The part of all requests whose connection went to another worker. */
function handedOver(of) {
  const counts = of('handedOver')
  if (counts.some((count) => count === undefined)) return '-'
  return `${format(median(counts), 0)} (${format((100 * total(counts)) / total(of('requests')), 2)} %)`
}

/** Starts each peer anew for each round, and measures it. */
export function loadRounds(keys, rounds, { session, ...start }, action) {
  return inTurns(keys, rounds, async (key, round) => {
    const peer = await PEERS[key].start(session, start)
    try {
      return await action(peer, round)
    } finally {
      await peer.stop()
    }
  })
}
