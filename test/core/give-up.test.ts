import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drive, running } from './drive.ts'

void test('code that cannot boot gets one batch of attempts', () => {
  const it = drive(4, { bootParallel: 2 })
  it.tell({ type: 'startRequested' })
  assert.deepEqual(it.exit(1).orders, [], 'the other one is awaited')
  const { orders, said } = it.exit(2)
  assert.deepEqual(orders, ['release sockets', 'finish failed'])
  assert.deepEqual(said, [
    'worker:exited 2 boot-failure for good',
    'primary:stopping graceful failed',
    'primary:phase stopping',
    'primary:phase stopped',
    'primary:stopped failed',
  ])
})

void test('the failure names the cause and the last exit', () => {
  const it = drive(1)
  it.tell({ type: 'startRequested' })
  it.exit(1, 7)
  assert.deepEqual(it.state().stop?.outcome, { name: 'failed', everReady: false, last: { code: 7, signal: null }, why: 'boot-failure' })
})

void test('a worker that never gets ready is a failed start when its exit is seen', () => {
  const it = drive(1)
  it.tell({ type: 'startRequested' })
  assert.deepEqual(it.wake().orders, ['kill 1 ready-timeout'])
  it.exit(1)
  const outcome = it.state().stop?.outcome
  assert.equal(outcome?.name === 'failed' && outcome.why, 'ready-timeout')
})

void test('when one of the batch gets ready the others are tried again', () => {
  const it = drive(2)
  it.tell({ type: 'startRequested' })
  it.exit(1)
  assert.deepEqual(it.up(2).orders, ['spawn 3 in 0 of 1'])
})

void test('forks that fail at the start are tried again up to maxFailures', () => {
  const it = drive(1, { maxFailures: 3 })
  it.tell({ type: 'startRequested' })
  for (const id of [1, 2]) {
    assert.deepEqual(it.tell({ type: 'workerSpawnFailed', id, code: 'EAGAIN', chance: 0.5 }).orders, [])
    assert.deepEqual(it.wake().orders, [`spawn ${id + 1} in 0 of 1`])
  }
  assert.deepEqual(it.tell({ type: 'workerSpawnFailed', id: 3, code: 'EAGAIN', chance: 0.5 }).orders, ['release sockets', 'finish failed'])
  const outcome = it.state().stop?.outcome
  assert.ok(outcome?.name === 'failed' && outcome.why === 'spawn-failed' && !outcome.everReady)
})

void test('while one worker serves nobody gives up', () => {
  const it = running(2)
  for (let id = 3; id < 20; id += 1) {
    it.exit(id === 3 ? 2 : id - 1)
    if (it.wakesAt() !== undefined) it.wake()
  }
  assert.equal(it.state().phase, 'degraded')
})

void test('later it ends when every slot has failed maxFailures times and nobody is left', () => {
  const it = running(2, { maxFailures: 2 })
  it.exit(1)
  it.exit(2)
  assert.deepEqual(it.exit(3).orders, [], 'slot 0 has used up its attempts, slot 1 boots')
  assert.deepEqual(it.exit(4).orders, ['release sockets', 'finish failed'])
  const outcome = it.state().stop?.outcome
  assert.ok(outcome?.name === 'failed' && outcome.everReady)
})

void test('below maxFailures it keeps trying with nobody ready', () => {
  const it = running(1, { maxFailures: 3 })
  it.exit(1)
  assert.deepEqual(it.exit(2).orders, [])
  assert.deepEqual(it.wake().orders, ['spawn 3 in 0 of 1'])
  assert.deepEqual(it.exit(3).orders, ['release sockets', 'finish failed'])
})

void test('a worker that leaves before it was ready is a failed boot', () => {
  const it = drive(1)
  it.tell({ type: 'startRequested' })
  assert.deepEqual(it.tell({ type: 'workerRetireRequested', id: 1 }).orders, ['drain 1 request', 'release sockets'])
  assert.deepEqual(it.exit(1).orders, ['finish failed'])
})
