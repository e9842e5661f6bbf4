/** A load on a running peer, with the CPU time that each request cost. */
import { cpuOf, openSockets } from './proc.mjs'
import { wrk } from './wrk.mjs'

/**
 * Seen at half time: `clientCpu`, the part of a core that the load itself takes, and `balance`, connections of the busiest
 * worker by their mean.
 *
 * @param load given `halfway(pid)`, to be called with the pid of the load; returns at least `{ requests }`
 * @returns what the load returned, and `primaryMicros` (whatever is not a worker), `workerMicros`, `allMicros` for each
 *   request, and `handedOver`
 */
export async function measure(peer, { seconds }, load) {
  const { front, workers } = peer.pids
  const handedBefore = await peer.handedOver?.()
  const before = { front: cpuOf(front), workers: cpuOf(workers) }
  const seen = { clientCpu: Number.NaN, balance: Number.NaN }
  const halfway = (pid) => {
    seen.clientCpu = cpuOf([pid]) / (seconds * 500_000)
    const connections = workers.map((worker, index) => openSockets(worker) - peer.idleSockets[index])
    seen.balance = Math.max(...connections) / (connections.reduce((sum, count) => sum + count, 0) / workers.length)
  }
  const result = await load(halfway)
  if (result.requests === 0) throw new Error(`${peer.name} answered nothing`)
  const primaryMicros = (cpuOf(front) - before.front) / result.requests
  const workerMicros = (cpuOf(workers) - before.workers) / result.requests
  const handedOver = handedBefore === undefined ? undefined : (await peer.handedOver()) - handedBefore
  return { ...result, ...seen, primaryMicros, workerMicros, allMicros: primaryMicros + workerMicros, handedOver }
}

/** The same with wrk, after one second of warming up. */
export async function measureWrk(peer, { seconds, path = '', ...load }) {
  const url = peer.url + path
  await wrk(url, { seconds: 1, ...load })
  return measure(peer, { seconds }, (halfway) => wrk(url, { seconds, ...load, halfway }))
}
