/** What workers say of themselves, on its way to whoever asks. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseWorkerMessage } from '../../src/protocol/guards.ts'
import { DURATION_BOUNDS_S, GC_BOUNDS_S, LATENCY_BUCKETS, latencyBucket, latencyOf, type WorkerReport } from '../../src/protocol/vitals.ts'
import { Vitals } from '../../src/primary/vitals.ts'

const MIB = 1024 * 1024
const WORKER = { id: 7, pid: 4321, slot: 1 }

function reportOf(more: Partial<WorkerReport> = {}): WorkerReport {
  return {
    tookMs: 1000,
    cpuUserUs: 100_000,
    cpuSystemUs: 50_000,
    memory: { rss: 80 * MIB, heapTotal: 40 * MIB, heapUsed: 30 * MIB, external: MIB },
    busy: 0.25,
    lag: { min: 0, max: 12, mean: 1, stddev: 0.5, p50: 0.5, p90: 2, p99: 9 },
    connections: 12,
    inFlight: 3,
    aborted: 1,
    requests: [{ method: 'GET', status: '200', sumMs: 40, counts: countsOf(DURATION_BOUNDS_S, 20) }],
    latency: [latencyBucket(2), 20],
    gc: [{ kind: 'minor', sumMs: 2, counts: countsOf(GC_BOUNDS_S, 1) }],
    ...more,
  }
}

const countsOf = (bounds: readonly number[], first: number): readonly number[] => [first, ...bounds.map(() => 0)]
const read = (message: object): unknown => parseWorkerMessage(JSON.stringify(message))

test('a finer bucket is at most an eighth wide, and every duration has one', () => {
  for (let ms = 0; ms < 5_000_000; ms = ms * 1.03 + 0.0007) {
    const bucket = latencyBucket(ms)
    assert.ok(bucket >= 0 && bucket < LATENCY_BUCKETS, `${ms} ms is in bucket ${bucket}`)
    if (ms > 0.01 && ms < 2 ** 31 / 1000) assert.ok(Math.abs(latencyOf(bucket) - ms) <= ms / 8, `${ms} ms is told as ${latencyOf(bucket)} ms`)
  }
  assert.equal(latencyBucket(Infinity), LATENCY_BUCKETS - 1)
})

test('a report passes the guard as it is', () => {
  const report = { type: 'vitals', ...reportOf() }
  assert.deepEqual(read(report), report)
  const idle = { type: 'vitals', ...reportOf({ lag: null, requests: [], latency: [], gc: [] }) }
  assert.deepEqual(read(idle), idle)
})

const series = reportOf().requests[0]
const WRONG: Readonly<Record<string, object>> = {
  'a negative time': { tookMs: -1 },
  'a number that is none': { cpuUserUs: null },
  'a huge number': { inFlight: 1e300 },
  'a busier loop than can be': { busy: 1.5 },
  'a fraction of a request': { aborted: 0.5 },
  'text for a number': { connections: '12' },
  'memory without bytes': { memory: { rss: 1 } },
  'an unknown method': { requests: [{ ...series, method: 'BREW' }] },
  'a status that is none': { requests: [{ ...series, status: '2x0' }] },
  'a bucket too few': { requests: [{ ...series, counts: [1] }] },
  'a negative count': { requests: [{ ...series, counts: countsOf(DURATION_BOUNDS_S, -1) }] },
  'too many kinds of requests': { requests: Array.from({ length: 200 }, () => series) },
  'a finer bucket that is not there': { latency: [LATENCY_BUCKETS, 1] },
  'half a pair': { latency: [1] },
  'too many finer buckets': { latency: Array.from({ length: 2000 }, () => 1) },
  'an unknown garbage collection': { gc: [{ kind: '__proto__', sumMs: 0, counts: countsOf(GC_BOUNDS_S, 0) }] },
  'lag without a percentile': { lag: { min: 0 } },
}

for (const [what, change] of Object.entries(WRONG)) {
  test(`${what} is no report`, () => {
    assert.equal(read({ type: 'vitals', ...reportOf(), ...change }), undefined)
  })
}

test('what a worker reports is what is told of it', () => {
  const vitals = new Vitals({ clock: () => 0 })
  assert.equal(vitals.of(WORKER.id), undefined)
  vitals.take(WORKER, reportOf({ requests: [], latency: [] }))
  const quiet = vitals.of(WORKER.id)
  assert.equal(quiet?.cpu, null, 'from one report no rate follows')
  assert.equal(quiet?.p99Ms, null, 'without requests there is no percentile')
  assert.equal(quiet?.requestsPerSecond, 0)
  vitals.take(WORKER, reportOf({ cpuUserUs: 500_000, tookMs: 500, latency: [latencyBucket(2), 19, latencyBucket(300), 1] }))
  const { p50Ms, p99Ms, ...busy } = vitals.of(WORKER.id) ?? assert.fail('nothing is known')
  assert.deepEqual(busy, { cpu: 0.8, rssBytes: 80 * MIB, heapUsedBytes: 30 * MIB, loopUtilization: 0.25, loopLagP99Ms: 9, requestsPerSecond: 40, inFlight: 3, connections: 12 })
  assert.ok(Math.abs((p50Ms ?? 0) - 2) < 0.25, `${p50Ms}`)
  assert.ok(Math.abs((p99Ms ?? 0) - 300) < 40, `${p99Ms}`)
})

test('requests are forgotten within some seconds', () => {
  const vitals = new Vitals({ clock: () => 0 })
  vitals.take(WORKER, reportOf({ latency: [latencyBucket(5000), 1] }))
  assert.notEqual(vitals.of(WORKER.id)?.p99Ms, null)
  for (let second = 0; second < 10; second += 1) vitals.take(WORKER, reportOf({ latency: [] }))
  assert.equal(vitals.of(WORKER.id)?.p99Ms, null)
})

test('of a silent worker CPU and memory come from the system, and nothing else is told', () => {
  let now = 0
  let asked: number | undefined
  const vitals = new Vitals({ clock: () => now, readProcess: (pid) => ((asked = pid), { cpuUs: 3_150_000, rss: 99 * MIB }) })
  vitals.take(WORKER, reportOf())
  now = 3000
  const silent = vitals.of(WORKER.id)
  assert.equal(asked, WORKER.pid)
  assert.deepEqual([silent?.cpu, silent?.rssBytes, silent?.inFlight, silent?.requestsPerSecond], [1, 99 * MIB, null, null])
})

test('the system tells of this process', { skip: process.platform !== 'linux' && 'only Linux has /proc' }, () => {
  let now = 0
  const vitals = new Vitals({ clock: () => now })
  const self = { ...WORKER, pid: process.pid }
  vitals.take(self, reportOf({ cpuUserUs: 0, cpuSystemUs: 0 }))
  now = 10_000
  const told = vitals.of(self.id)
  const used = process.cpuUsage()
  assert.ok(Math.abs((told?.cpu ?? 0) * 10_000 - (used.user + used.system) / 1000) < 100, 'within some ticks')
  assert.ok(Math.abs((told?.rssBytes ?? 0) / process.memoryUsage.rss() - 1) < 0.2)
})

test('a worker that is gone is forgotten', () => {
  const vitals = new Vitals({ clock: () => 0 })
  vitals.take(WORKER, reportOf())
  vitals.forget(WORKER.id)
  assert.equal(vitals.of(WORKER.id), undefined)
})
