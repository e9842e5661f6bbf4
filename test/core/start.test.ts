import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drive, running } from './drive.ts'

void test('a start fills the slots in order, bootParallel at a time', () => {
  const it = drive(3, { bootParallel: 2 })
  const { orders, said } = it.tell({ type: 'startRequested' })
  assert.deepEqual(orders, ['spawn 1 in 0 of 1', 'spawn 2 in 1 of 1'])
  assert.deepEqual(said, ['primary:phase starting'])
  assert.deepEqual(it.up(2).orders, ['spawn 3 in 2 of 1'])
})

void test('started is said once, when all slots are ready for the first time', () => {
  const it = drive(2)
  it.tell({ type: 'startRequested' })
  assert.deepEqual(it.up(1).said, ['worker:spawned 1', 'worker:ready 1'])
  it.clock(70)
  assert.deepEqual(it.up(2).said.slice(2), ['primary:phase running', 'primary:started 2 in 70'])
  it.exit(2)
  assert.deepEqual(it.up(3).said.slice(2), ['primary:phase running'])
})

void test('a second start changes nothing', () => {
  const it = running(1)
  assert.deepEqual(it.tell({ type: 'startRequested' }), { orders: [], said: [] })
})

void test('before the start nothing boots, and a size asked for is remembered', () => {
  const it = drive(1)
  assert.deepEqual(it.tell({ type: 'scaleRequested', size: 2 }).orders, [])
  assert.deepEqual(it.tell({ type: 'startRequested' }).orders.length, 2)
})

void test('a start in which one slot fails while another serves is degraded', () => {
  const it = drive(2)
  it.tell({ type: 'startRequested' })
  it.up(1)
  assert.deepEqual(it.exit(2).said, ['worker:exited 2 boot-failure back in 0', 'primary:phase degraded'])
  assert.ok(it.up(3).said.includes('primary:started 2 in 0'))
})

void test('the time to be ready counts from the birth of the process', () => {
  const it = drive(1, { readyTimeoutMs: 500 })
  it.tell({ type: 'startRequested' })
  assert.equal(it.wakesAt(), 500)
  it.clock(100)
  it.tell({ type: 'workerSpawned', id: 1, pid: 7 })
  assert.equal(it.wakesAt(), 600)
  assert.deepEqual(it.wake().orders, ['kill 1 ready-timeout'])
  assert.equal(it.wakesAt(), undefined)
})

void test('without a limit a boot may take for ever', () => {
  const it = drive(1, { readyTimeoutMs: 0 })
  it.tell({ type: 'startRequested' })
  assert.equal(it.wakesAt(), undefined)
})

void test('who is ready in time, though the timer is late, is not killed', () => {
  const it = drive(1, { readyTimeoutMs: 500 })
  it.tell({ type: 'startRequested' })
  it.clock(900)
  assert.deepEqual(it.tell({ type: 'workerReady', id: 1 }).orders, [])
})
