import assert from 'node:assert/strict'
import { test } from 'node:test'
import { running } from './drive.ts'

void test('a restart drains all workers at once, and boots new ones when the last has gone', () => {
  const it = running(2)
  const begun = it.tell({ type: 'restartRequested' })
  assert.deepEqual(begun.orders, ['drain 1 restart', 'drain 2 restart'])
  assert.deepEqual(begun.said, ['restart:started 1 to 2', 'worker:draining 1', 'worker:draining 2'])
  assert.deepEqual(it.exit(1, 0).orders, [])
  assert.deepEqual(it.exit(2, 0).orders, ['spawn 3 in 0 of 2', 'spawn 4 in 1 of 2'])
  assert.deepEqual(it.up(3).said, ['worker:spawned 3', 'worker:ready 3'])
  assert.deepEqual(it.up(4).said, ['worker:spawned 4', 'worker:ready 4', 'restart:finished 2'])
  assert.deepEqual([it.state().generation, it.state().phase, it.state().restart], [2, 'running', undefined])
  assert.equal(it.frees(), 1, 'sockets are kept as long as somebody may come back for them')
})

void test('who does not leave in time is killed, and then the new ones boot', () => {
  const it = running(1)
  it.tell({ type: 'restartRequested' })
  assert.deepEqual(it.wake().orders, ['kill 1 drain-timeout'])
  assert.deepEqual(it.exit(1).orders, ['spawn 2 in 0 of 2'])
})

void test('a restart frees slots from the back-off of the old code', () => {
  const it = running(2)
  it.exit(1)
  it.exit(3)
  it.clock(100)
  assert.deepEqual(it.state().phase, 'degraded')
  it.tell({ type: 'restartRequested' })
  assert.deepEqual(it.exit(2, 0).orders, ['spawn 4 in 0 of 2', 'spawn 5 in 1 of 2'])
})

void test('a restart waits for the reload that is under way', () => {
  const it = running(1)
  it.tell({ type: 'reloadRequested' })
  assert.deepEqual(it.tell({ type: 'restartRequested' }).orders, [])
  it.up(2)
  assert.deepEqual(it.wake().orders, ['drain 1 reload', 'drain 2 restart'])
})

void test('a reload waits for the restart that is under way', () => {
  const it = running(1)
  it.tell({ type: 'restartRequested' })
  assert.deepEqual(it.tell({ type: 'reloadRequested' }).said, [])
  it.exit(1, 0)
  assert.deepEqual(it.up(2).said, ['worker:spawned 2', 'worker:ready 2', 'restart:finished 2', 'reload:started 2 to 3'])
})

void test('a restart whose code fails in a slot gives way to a reload, which may be the cure', () => {
  const it = running(2)
  it.tell({ type: 'restartRequested' })
  it.exit(1, 0)
  it.exit(2, 0)
  it.up(3)
  it.exit(4)
  const { said } = it.tell({ type: 'reloadRequested' })
  assert.deepEqual(said, ['reload:started 2 to 3'])
  assert.equal(it.state().restart, undefined)
})

void test('code that never boots ends a restart as it ends anything: the supervisor gives up', () => {
  const it = running(1, { maxFailures: 2 })
  it.tell({ type: 'restartRequested' })
  it.exit(1, 0)
  assert.deepEqual(it.exit(2).orders, ['spawn 3 in 0 of 2'])
  assert.deepEqual(it.exit(3).orders, ['release sockets', 'finish failed'])
})

void test('a stop wins over a restart', () => {
  const it = running(1)
  it.tell({ type: 'restartRequested' })
  it.tell({ type: 'stopRequested', how: 'graceful' })
  assert.deepEqual(it.exit(1, 0).orders, ['finish stopped'])
})

void test('no restart begins when a stop was asked for', () => {
  const it = running(1)
  it.tell({ type: 'stopRequested', how: 'graceful', delayMs: 500 })
  assert.deepEqual(it.tell({ type: 'restartRequested' }).orders, [])
})
