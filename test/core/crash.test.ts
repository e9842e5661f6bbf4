import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffMs } from '../../src/core/backoff.ts'
import { drive, running, SETTINGS } from './drive.ts'

void test('the first respawn is immediate, then 1 s, x 1.5, at most 30 s', () => {
  const waits = [1, 2, 3, 4, 5, 20].map((failures) => backoffMs(failures, SETTINGS, 0.5))
  assert.deepEqual(waits, [0, 1000, 1500, 2250, 3375, 30_000])
})

void test('the jitter spreads the back-off by its fraction to both sides', () => {
  const settings = { ...SETTINGS, backoff: { ...SETTINGS.backoff, jitter: 0.2 } }
  assert.equal(backoffMs(2, settings, 0), 800)
  assert.equal(backoffMs(2, settings, 0.5), 1000)
  assert.equal(backoffMs(2, settings, 0.9999999), 1200)
})

void test('a crashed worker is replaced at once', () => {
  const it = running(2)
  const { orders, said } = it.exit(2)
  assert.deepEqual(orders, ['spawn 3 in 1 of 1'])
  assert.deepEqual(said, ['worker:exited 2 crash back in 0', 'primary:phase degraded'])
})

void test('an exit with code 0 that nobody asked for is a crash too', () => {
  assert.deepEqual(running(1).exit(1, 0).orders, ['spawn 2 in 0 of 1'])
})

void test('a slot that fails again backs off, and the timer brings the next boot', () => {
  const it = running(2)
  it.exit(2)
  const { orders, said } = it.exit(3)
  assert.deepEqual([orders, said], [[], ['worker:exited 3 boot-failure back in 1000']])
  assert.equal(it.wakesAt(), 1000)
  assert.deepEqual(it.wake().orders, ['spawn 4 in 1 of 1'])
})

void test('a stable life clears the failures', () => {
  const it = running(2)
  it.exit(2)
  it.up(3)
  it.clock(SETTINGS.stableMs)
  assert.deepEqual(it.exit(3).orders, ['spawn 4 in 1 of 1'])
  it.up(4)
  assert.deepEqual(it.exit(4).orders, [])
})

void test('a stable life that ends in a drain clears the failures as well', () => {
  const it = running(2)
  it.exit(2)
  it.up(3)
  it.clock(SETTINGS.stableMs)
  it.tell({ type: 'workerRetireRequested', id: 3 })
  it.up(4)
  assert.deepEqual(it.exit(4).orders, ['spawn 5 in 1 of 1'])
})

void test('a fork that fails is never tried again at once', () => {
  const it = running(2)
  it.exit(2)
  const { orders, said } = it.tell({ type: 'workerSpawnFailed', id: 3, code: 'EAGAIN', chance: 0.5 })
  assert.deepEqual(orders, [])
  assert.deepEqual(said, ['worker:spawn-failed 3 in 1 of 1 EAGAIN back in 1500'])
})

void test('while others serve, a fork that fails is tried again within two seconds, however often', () => {
  const it = running(2)
  it.exit(2)
  for (let id = 3; id < 20; id += 1) {
    it.tell({ type: 'workerSpawnFailed', id, code: 'EAGAIN', chance: 0.5 })
    const before = it.now()
    assert.deepEqual(it.wake().orders, [`spawn ${id + 1} in 1 of 1`])
    assert.ok(it.now() - before <= 2000)
  }
})

void test('a slot that waits takes no place from another', () => {
  const it = running(3, { bootParallel: 1 })
  it.exit(2)
  it.exit(4)
  assert.deepEqual(it.exit(3).orders, ['spawn 5 in 2 of 1'])
  it.clock(1000)
  assert.equal(it.wakesAt(), 5000, 'the place is taken: only the ready deadline is awaited')
  assert.deepEqual(it.up(5).orders, ['spawn 6 in 1 of 1'])
})

void test('a worker that breaks the protocol is killed, which counts as a crash when it is gone', () => {
  const it = running(2)
  assert.deepEqual(it.tell({ type: 'workerViolated', id: 2 }).orders, ['kill 2 violation'])
  assert.deepEqual(it.exit(2).said, ['worker:exited 2 killed back in 0', 'primary:phase degraded'])
  it.up(3)
  it.tell({ type: 'workerViolated', id: 3 })
  assert.deepEqual(it.exit(3).said, ['worker:exited 3 killed back in 1000'])
})

void test('late news of a worker that is gone change nothing', () => {
  const it = drive(1)
  it.tell({ type: 'startRequested' })
  it.up(1)
  it.exit(1)
  it.up(2)
  const silence = { orders: [], said: [] }
  assert.deepEqual(it.exit(1), silence)
  assert.deepEqual(it.tell({ type: 'workerReady', id: 1 }), silence)
  assert.deepEqual(it.tell({ type: 'workerViolated', id: 1 }), silence)
  assert.deepEqual(it.tell({ type: 'workerRetireRequested', id: 99 }), silence)
})
