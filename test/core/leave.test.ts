import assert from 'node:assert/strict'
import { test } from 'node:test'
import { running } from './drive.ts'

void test('a worker that asks to leave is drained, and its successor boots at once', () => {
  const it = running(2)
  it.clock(5000)
  assert.deepEqual(it.tell({ type: 'workerRetireRequested', id: 1 }).orders, ['drain 1 request', 'spawn 3 in 0 of 1'])
  it.up(3)
  assert.deepEqual(it.exit(1, 1), { orders: [], said: ['worker:exited 1 retired for good'] })
  assert.equal(it.state().slots[0]?.failures, 0)
})

void test('a worker that asks twice is drained once', () => {
  const it = running(2)
  it.tell({ type: 'workerRetireRequested', id: 1 })
  assert.deepEqual(it.tell({ type: 'workerRetireRequested', id: 1 }), { orders: [], said: [] })
})

void test('an app that always leaves makes a slot boot once in baseMs at most', () => {
  const it = running(1)
  assert.deepEqual(it.tell({ type: 'workerRetireRequested', id: 1 }).orders, ['drain 1 request'])
  assert.equal(it.wakesAt(), 1000)
  assert.deepEqual(it.wake().orders, ['spawn 2 in 0 of 1'])
})

void test('who does not leave in time is killed, once', () => {
  const it = running(2)
  it.clock(5000)
  it.tell({ type: 'workerRetireRequested', id: 1 })
  it.up(3)
  assert.equal(it.wakesAt(), 7000)
  assert.deepEqual(it.wake().orders, ['kill 1 drain-timeout'])
  it.clock(9000)
  assert.deepEqual(it.tell({ type: 'timePassed' }).orders, [])
  assert.deepEqual(it.exit(1).said, ['worker:exited 1 killed for good'])
})

void test('a ready that comes during the drain is too late', () => {
  const it = running(1)
  it.tell({ type: 'scaleRequested', size: 2 })
  it.tell({ type: 'scaleRequested', size: 1 })
  assert.deepEqual(it.tell({ type: 'workerReady', id: 2 }), { orders: [], said: [] })
})

void test('a worker that breaks the protocol while it leaves is killed, which is no failure', () => {
  const it = running(2)
  it.clock(5000)
  it.tell({ type: 'workerRetireRequested', id: 1 })
  assert.deepEqual(it.tell({ type: 'workerViolated', id: 1 }).orders, ['kill 1 violation'])
  it.exit(1)
  assert.equal(it.state().slots[0]?.failures, 0)
})

void test('a worker that leaves by its own wish soon after a crash of its slot degrades nothing', () => {
  const it = running(2)
  it.exit(2)
  it.up(3)
  it.clock(3000)
  assert.deepEqual(it.tell({ type: 'workerRetireRequested', id: 3 }).said, ['worker:draining 3'])
  assert.equal(it.state().phase, 'running')
})

void test('the service is degraded no longer when the slot that failed is back, though another has left by its own wish', () => {
  const it = running(2)
  it.tell({ type: 'workerRetireRequested', id: 1 })
  assert.deepEqual(it.exit(2).said.at(-1), 'primary:phase degraded')
  assert.deepEqual(it.up(3).said.at(-1), 'primary:phase running')
})

void test('a worker that is worn serves until its replacement is ready; one at a time', () => {
  const it = running(2)
  it.clock(5000)
  assert.deepEqual(it.tell({ type: 'workerWorn', id: 1, why: 'memory', value: 1 }), { orders: ['spawn 3 in 0 of 1'], said: ['worker:worn 1 memory'] })
  assert.deepEqual(it.tell({ type: 'workerWorn', id: 1, why: 'lifetime', value: 1 }), { orders: [], said: [] })
  assert.deepEqual(it.tell({ type: 'workerWorn', id: 2, why: 'requests', value: 1 }).orders, [])
  assert.deepEqual(it.up(3).orders, ['drain 1 recycle'])
  assert.deepEqual(it.exit(1).orders, ['spawn 4 in 1 of 1'])
  assert.deepEqual(it.up(4).orders, ['drain 2 recycle'])
  assert.equal(it.state().phase, 'running')
})

void test('a worn worker serves on while its replacements fail, which are tried again with back-off', () => {
  const it = running(1)
  it.clock(5000)
  it.tell({ type: 'workerWorn', id: 1, why: 'memory', value: 1 })
  assert.deepEqual(it.exit(2).orders, ['spawn 3 in 0 of 1'])
  assert.deepEqual(it.exit(3).orders, [])
  assert.equal(it.wakesAt(), 6000)
  assert.deepEqual(it.wake().orders, ['spawn 4 in 0 of 1'])
  assert.deepEqual(it.up(4).orders, ['drain 1 recycle'])
})

void test('a reload replaces worn workers, too', () => {
  const it = running(1)
  it.clock(5000)
  it.tell({ type: 'workerWorn', id: 1, why: 'memory', value: 1 })
  assert.deepEqual(it.tell({ type: 'reloadRequested' }).orders, ['kill 2 reload-aborted', 'spawn 3 in 0 of 2'])
  it.up(3)
  assert.deepEqual(it.wake().orders, ['drain 1 reload'])
})

void test('a worker that hangs is killed and its slot charged; one that boots or leaves may block its loop', () => {
  const it = running(2)
  it.clock(5000)
  assert.deepEqual(it.tell({ type: 'workerStalled', id: 1, silentMs: 10_000 }), { orders: ['kill 1 stalled'], said: ['worker:stalled 1 for 10000'] })
  assert.deepEqual(it.tell({ type: 'workerStalled', id: 1, silentMs: 10_000 }), { orders: [], said: [] })
  assert.deepEqual(it.exit(1).orders, ['spawn 3 in 0 of 1'])
  assert.equal(it.state().slots[0]?.failures, 1)
  assert.deepEqual(it.tell({ type: 'workerStalled', id: 3, silentMs: 10_000 }), { orders: [], said: [] })
  it.tell({ type: 'workerRetireRequested', id: 2 })
  assert.deepEqual(it.tell({ type: 'workerStalled', id: 2, silentMs: 10_000 }), { orders: [], said: [] })
})

void test('a worker with far too much memory is killed, also while it leaves', () => {
  const it = running(2)
  it.clock(5000)
  it.tell({ type: 'workerRetireRequested', id: 1 })
  assert.deepEqual(it.tell({ type: 'workerOverweight', id: 1 }).orders, ['kill 1 memory'])
  assert.deepEqual(it.tell({ type: 'workerOverweight', id: 2 }).orders, ['kill 2 memory'])
  it.exit(1)
  it.exit(2)
  assert.deepEqual(it.state().slots.map(({ failures }) => failures), [0, 1])
})
