/**
 * A load of short and long requests on connections that stay; a process of its own, so that nothing else delays it.
 * Usage: node mixed.mjs '{ "port", "connections", "seconds", "rate", "seed", "kinds": [{ "path", "part" }] }'
 *
 * With `rate`, requests a second, each request has a time at which it is due, and a connection, both known before:
 * whether the server is slow changes nothing about them. Latency counts from the time at which it was due, so that
 * waiting for the connection is waiting ("coordinated omission" is what leaves that out). Without `rate` each connection
 * asks again as soon as it has its answer: what the server can do at most.
 */
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Connections are opened one after the other within this time: at once would be another bench. */
const OPEN_MS = 1000
const WARM_MS = 1000
/** Longest wait for what is still due at the end. */
const GRACE_MS = 10_000

const { port, connections, seconds, rate, seed, kinds } = JSON.parse(process.argv[2])
const random = mulberry32(seed)
const lanes = []
for (let index = 0; index < connections; index += 1) {
  lanes.push(await openLane())
  await sleep(OPEN_MS / connections)
}
console.log(JSON.stringify(rate === undefined ? await closedLoop() : await openLoop()))
process.exit(0)

async function openLoop() {
  const began = performance.now()
  const schedule = []
  for (let at = 0; at < WARM_MS + seconds * 1000; at += (-Math.log(1 - random()) * 1000) / rate) {
    schedule.push({ due: began + at, isWarm: at >= WARM_MS, kind: pick(), lane: lanes[Math.floor(random() * connections)] })
  }
  const done = []
  for (const one of schedule) {
    const wait = one.due - performance.now()
    if (wait > 0) await sleep(wait)
    done.push(one.lane.ask(kinds[one.kind].path).then((ok) => ({ ...one, ok, ms: performance.now() - one.due })))
  }
  const answers = (await Promise.all(done)).filter(({ isWarm }) => isWarm)
  const latencies = answers.map(({ ms }) => ms)
  const quick = answers.filter(({ kind }) => kind === 0).map(({ ms }) => ms)
  return { requests: answers.length, p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99), quickP99: percentile(quick, 0.99), errors: answers.filter(({ ok }) => !ok).length }
}

async function closedLoop() {
  const began = performance.now()
  const from = began + WARM_MS
  const to = from + seconds * 1000
  let requests = 0
  const run = async (lane) => {
    while (performance.now() < to) {
      const ok = await lane.ask(kinds[pick()].path)
      const now = performance.now()
      if (!ok) return
      if (now >= from && now < to) requests += 1
    }
  }
  await Promise.all(lanes.map(run))
  return { requests, rps: requests / seconds }
}

/** A connection, which answers one question after the other. */
async function openLane() {
  const socket = connect(port, '127.0.0.1')
  socket.setNoDelay(true)
  socket.setEncoding('latin1')
  const queue = []
  let isGone = false
  const next = () => {
    if (queue.length > 0) socket.write(`GET ${queue[0].path} HTTP/1.1\r\nHost: bench\r\n\r\n`)
  }
  const fail = () => {
    isGone = true
    for (const { settle } of queue.splice(0)) settle(false)
  }
  socket.on('data', (text) => {
    if (!text.endsWith('hello\n')) return
    queue.shift()?.settle(true)
    next()
  })
  socket.on('error', fail)
  socket.on('close', fail)
  await new Promise((resolve) => {
    socket.once('connect', resolve)
    socket.once('close', resolve)
  })
  return {
    ask: (path) =>
      new Promise((settle) => {
        if (isGone) {
          settle(false)
          return
        }
        const limit = setTimeout(() => socket.destroy(), seconds * 1000 + GRACE_MS)
        queue.push({ path, settle: (ok) => {
          clearTimeout(limit)
          settle(ok)
        } })
        if (queue.length === 1) next()
      }),
  }
}

function pick() {
  const value = random()
  let sum = 0
  return kinds.findIndex(({ part }, index) => {
    sum += part
    return value < sum || index === kinds.length - 1
  })
}

function percentile(values, part) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)]
}

/** The same numbers for the same seed (Tommy Ettinger, public domain). */
function mulberry32(start) {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
