import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drive, running } from './drive.ts'

void test('a stop gives up the sockets and drains all, also those that boot', () => {
  const it = drive(2)
  it.tell({ type: 'startRequested' })
  it.up(1)
  const { orders, said } = it.tell({ type: 'stopRequested', how: 'graceful' })
  assert.deepEqual(orders, ['release sockets', 'drain 1 stop', 'drain 2 stop'])
  assert.deepEqual(said.slice(0, 2), ['primary:stopping graceful stopped', 'primary:phase stopping'])
})

void test('the end comes when the last worker is gone', () => {
  const it = running(2)
  it.tell({ type: 'stopRequested', how: 'graceful' })
  assert.deepEqual(it.exit(1, 0), { orders: [], said: ['worker:exited 1 retired for good'] })
  assert.deepEqual(it.exit(2, 0).orders, ['finish stopped'])
  assert.equal(it.wakesAt(), undefined)
})

void test('who hangs in the stop is killed at the drain deadline', () => {
  const it = running(1)
  it.tell({ type: 'stopRequested', how: 'graceful' })
  assert.deepEqual(it.wake().orders, ['kill 1 drain-timeout'])
  assert.deepEqual(it.exit(1).orders, ['finish stopped'])
})

void test('stop now kills all, also during a graceful stop', () => {
  assert.deepEqual(running(1).tell({ type: 'stopRequested', how: 'now' }).orders, ['release sockets', 'kill 1 stop-now'])
  const it = running(2)
  it.tell({ type: 'stopRequested', how: 'graceful' })
  it.exit(1, 0)
  const { orders, said } = it.tell({ type: 'stopRequested', how: 'now' })
  assert.deepEqual([orders, said], [['kill 2 stop-now'], ['primary:stopping now stopped-now']])
  assert.deepEqual(it.exit(2).orders, ['finish stopped-now'])
})

void test('a second graceful stop changes nothing', () => {
  const it = running(1)
  it.tell({ type: 'stopRequested', how: 'graceful' })
  assert.deepEqual(it.tell({ type: 'stopRequested', how: 'graceful' }), { orders: [], said: [] })
})

void test('a worker that drains already keeps its deadline', () => {
  const it = running(2)
  it.tell({ type: 'scaleRequested', size: 1 })
  it.clock(1500)
  assert.deepEqual(it.tell({ type: 'stopRequested', how: 'graceful' }).orders, ['release sockets', 'drain 1 stop'])
  assert.equal(it.wakesAt(), 2000)
})

void test('a stop before the start ends at once', () => {
  assert.deepEqual(drive(1).tell({ type: 'stopRequested', how: 'graceful' }).orders, ['release sockets', 'finish stopped'])
})

void test('a crash during the stop brings nobody back', () => {
  const it = running(2)
  it.tell({ type: 'stopRequested', how: 'graceful' })
  assert.deepEqual(it.exit(1, 139).orders, [])
})

void test('after the end there is silence', () => {
  const it = running(1)
  it.tell({ type: 'stopRequested', how: 'now' })
  it.exit(1)
  const silence = { orders: [], said: [] }
  assert.deepEqual(it.tell({ type: 'reloadRequested' }), silence)
  assert.deepEqual(it.tell({ type: 'stopRequested', how: 'now' }), silence)
  assert.deepEqual(it.tell({ type: 'scaleRequested', size: 4 }), silence)
  assert.deepEqual(it.tell({ type: 'startRequested' }), silence)
})

void test('who had left by itself when it was to be killed was not killed', () => {
  const it = running(3)
  it.tell({ type: 'scaleRequested', size: 2 })
  it.tell({ type: 'stopRequested', how: 'now' })
  assert.deepEqual(it.exit(3, 0).said, ['worker:exited 3 retired for good'])
  assert.deepEqual(it.exit(2, 7).said, ['worker:exited 2 crash for good'])
  assert.deepEqual(it.exit(1).said[0], 'worker:exited 1 killed for good')
})

void test('a stop with a delay is told at once, and begins when its time has come', () => {
  const it = running(2)
  const told = it.tell({ type: 'stopRequested', how: 'graceful', delayMs: 500 })
  assert.deepEqual(told, { orders: [], said: ['primary:stopping graceful stopped in 500', 'primary:phase stopping'] })
  assert.equal(it.wakesAt(), 500)
  assert.deepEqual(it.wake(), { orders: ['release sockets', 'drain 1 stop', 'drain 2 stop'], said: ['worker:draining 1', 'worker:draining 2'] })
})

void test('until then a worker that is lost comes back', () => {
  const it = running(2)
  it.tell({ type: 'stopRequested', how: 'graceful', delayMs: 500 })
  assert.deepEqual(it.exit(1).orders, ['spawn 3 in 0 of 1'])
  it.up(3)
  assert.deepEqual(it.wake().orders, ['release sockets', 'drain 2 stop', 'drain 3 stop'])
})

void test('until then no reload begins and no scale counts; who waits is answered when the stop begins', () => {
  const it = running(1)
  it.tell({ type: 'stopRequested', how: 'graceful', delayMs: 500 })
  assert.deepEqual(it.tell({ type: 'reloadRequested' }), { orders: [], said: [] })
  assert.deepEqual(it.tell({ type: 'scaleRequested', size: 2 }), { orders: [], said: [] })
  assert.ok(it.wake().said.includes('reload:aborted 1 slot 0 stopped'))
})

void test('a second stop does not shorten the delay, a stop now ends it', () => {
  const it = running(1)
  it.tell({ type: 'stopRequested', how: 'graceful', delayMs: 500 })
  assert.deepEqual(it.tell({ type: 'stopRequested', how: 'graceful' }), { orders: [], said: [] })
  assert.deepEqual(it.tell({ type: 'stopRequested', how: 'now' }), { orders: ['release sockets', 'kill 1 stop-now'], said: ['primary:stopping now stopped-now'] })
  assert.deepEqual(it.exit(1).orders, ['finish stopped-now'])
})

void test('there is no delay where nobody was ever ready, and none when all are lost for good', () => {
  const early = drive(1)
  early.tell({ type: 'startRequested' })
  assert.deepEqual(early.tell({ type: 'stopRequested', how: 'graceful', delayMs: 500 }).orders, ['release sockets', 'drain 1 stop'])
  const late = running(1, { maxFailures: 1 })
  late.tell({ type: 'stopRequested', how: 'graceful', delayMs: 500 })
  assert.deepEqual(late.exit(1).orders, ['release sockets', 'finish stopped'])
})
