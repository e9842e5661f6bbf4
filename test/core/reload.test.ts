import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drive, running } from './drive.ts'

void test('a reload replaces one slot after the other: start, prove, only then drain', () => {
  const it = running(2)
  const begun = it.tell({ type: 'reloadRequested' })
  assert.deepEqual([begun.orders, begun.said], [['spawn 3 in 0 of 2'], ['reload:started 1 to 2']])
  assert.deepEqual(it.up(3).orders, [])
  assert.equal(it.wakesAt(), 1000)
  assert.deepEqual(it.wake().orders, ['drain 1 reload', 'spawn 4 in 1 of 2'])
  it.exit(1, 0)
  it.up(4)
  const ended = it.wake()
  assert.deepEqual([ended.orders, ended.said], [['drain 2 reload'], ['worker:draining 2', 'reload:finished 2']])
  assert.equal(it.state().generation, 2)
})

void test('a worker that crashes after the reload comes back with the new code', () => {
  const it = running(1)
  it.tell({ type: 'reloadRequested' })
  it.up(2)
  it.wake()
  assert.deepEqual(it.exit(2).orders, ['spawn 3 in 0 of 2'])
})

void test('new code that does not boot leaves the old serving, and is answered at once', () => {
  const it = running(2)
  it.tell({ type: 'reloadRequested' })
  const { orders, said } = it.exit(3)
  assert.deepEqual(orders, [])
  assert.deepEqual(said, ['worker:exited 3 boot-failure for good', 'reload:aborted 1 slot 0 boot-failure'])
  assert.deepEqual([it.state().generation, it.state().phase, it.state().reload], [1, 'running', undefined])
  assert.equal(it.state().slots[0]?.failures, 0, 'the failure is that of the reload')
})

void test('new code that never gets ready is killed and aborts', () => {
  const it = running(1)
  it.tell({ type: 'reloadRequested' })
  assert.deepEqual(it.wake().orders, ['kill 2 ready-timeout'])
  assert.deepEqual(it.exit(2).said[1], 'reload:aborted 1 slot 0 ready-timeout')
})

void test('new code that cannot be started aborts', () => {
  const it = running(1)
  it.tell({ type: 'reloadRequested' })
  assert.deepEqual(it.tell({ type: 'workerSpawnFailed', id: 2, code: 'ENOMEM', chance: 0.5 }).said[1], 'reload:aborted 1 slot 0 spawn-failed')
})

void test('new code that dies young aborts, and the slots that have it get the old back, started first', () => {
  const it = running(2)
  it.tell({ type: 'reloadRequested' })
  it.up(3)
  it.wake()
  it.exit(1, 0)
  it.up(4)
  const { orders, said } = it.exit(4)
  assert.deepEqual(orders, ['spawn 5 in 0 of 1'])
  assert.ok(said.includes('reload:aborted 1 slot 1 died-young'))
  assert.deepEqual(it.up(5).orders, [])
  assert.deepEqual(it.wake().orders, ['drain 3 rollback'])
  assert.deepEqual([it.state().reload, it.state().generation], [undefined, 1])
})

void test('new code that leaves before it is proven aborts as well', () => {
  const it = running(1)
  it.tell({ type: 'reloadRequested' })
  it.up(2)
  const { orders, said } = it.tell({ type: 'workerRetireRequested', id: 2 })
  assert.deepEqual(orders, ['drain 2 request'])
  assert.ok(said.includes('reload:aborted 1 slot 0 died-young'))
})

void test('a crash of proven new code is a crash, and the new code comes back', () => {
  const it = running(2)
  it.tell({ type: 'reloadRequested' })
  it.up(3)
  it.wake()
  assert.deepEqual(it.exit(3).orders, ['spawn 5 in 0 of 2'])
  it.up(4, 5)
  it.wake()
  assert.equal(it.state().generation, 2)
})

void test('a reload in which proven new code crashes more than maxFailures times is aborted', () => {
  const it = running(2, { maxFailures: 1 })
  it.tell({ type: 'reloadRequested' })
  it.up(3)
  it.wake()
  assert.deepEqual(it.exit(3).orders, ['spawn 5 in 0 of 2'])
  it.up(5)
  it.wake()
  const { orders, said } = it.exit(5)
  assert.ok(said.includes('reload:aborted 1 slot 0 died-young'))
  assert.deepEqual(orders, ['kill 4 reload-aborted', 'spawn 6 in 0 of 1'])
})

void test('the old worker of a slot that crashes before the first proof comes back with the old code', () => {
  const it = running(3)
  it.tell({ type: 'reloadRequested' })
  assert.deepEqual(it.exit(3).orders, ['spawn 5 in 2 of 1'])
})

void test('the old worker of a slot that crashes after the first proof comes back with the new code', () => {
  const it = running(3)
  it.tell({ type: 'reloadRequested' })
  it.up(4)
  it.wake()
  assert.deepEqual(it.exit(3).orders, ['spawn 6 in 2 of 2'])
})

void test('when the old worker crashes its replacement takes the slot', () => {
  const it = running(1)
  it.tell({ type: 'reloadRequested' })
  assert.deepEqual(it.exit(1).orders, [])
  it.up(2)
  assert.deepEqual(it.wake().said, ['reload:finished 2'])
})

void test('an empty slot in back-off gets the new code without waiting: it may be the cure', () => {
  const it = running(1, { maxFailures: 5 })
  it.exit(1)
  it.exit(2)
  assert.deepEqual(it.tell({ type: 'reloadRequested' }).orders, ['spawn 3 in 0 of 2'])
  it.exit(3)
  assert.equal(it.wakesAt(), 1000, 'the old code goes on in its back-off')
})

void test('a proven cure clears the back-off of the other slots', () => {
  const it = running(2, { maxFailures: 9, backoff: { baseMs: 20_000, factor: 1.5, capMs: 30_000, jitter: 0 } })
  it.exit(1)
  it.exit(2)
  it.exit(3)
  it.exit(4)
  it.tell({ type: 'reloadRequested' })
  it.up(5)
  assert.deepEqual(it.wake().orders, ['spawn 6 in 1 of 2'])
})

void test('reloads asked for during a reload share one more', () => {
  const it = running(1)
  it.tell({ type: 'reloadRequested' })
  assert.deepEqual(it.tell({ type: 'reloadRequested' }), { orders: [], said: [] })
  it.tell({ type: 'reloadRequested' })
  it.up(2)
  assert.deepEqual(it.wake().said, ['worker:draining 1', 'reload:finished 2', 'reload:started 2 to 3'])
  it.up(3)
  assert.deepEqual(it.wake().said, ['worker:draining 2', 'reload:finished 3'])
})

void test('a stop wins over a reload and answers it and the one that waits', () => {
  const it = running(1)
  it.tell({ type: 'reloadRequested' })
  it.tell({ type: 'reloadRequested' })
  const { said } = it.tell({ type: 'stopRequested', how: 'graceful' })
  assert.equal(said.filter((line) => line === 'reload:aborted 1 slot 0 stopped').length, 2)
  assert.deepEqual(it.tell({ type: 'reloadRequested' }).said, ['reload:aborted 1 slot 0 stopped'])
})

void test('a reload during a rollback begins at once', () => {
  const it = running(2)
  it.tell({ type: 'reloadRequested' })
  it.up(3)
  it.wake()
  it.exit(4)
  const { orders, said } = it.tell({ type: 'reloadRequested' })
  assert.deepEqual([orders, said], [['kill 5 reload-aborted', 'spawn 6 in 0 of 3'], ['reload:started 1 to 3']])
})

void test('a slot that is added during a reload gets what the reload has proven', () => {
  const it = running(1)
  it.tell({ type: 'reloadRequested' })
  assert.deepEqual(it.tell({ type: 'scaleRequested', size: 2 }).orders, ['spawn 3 in 1 of 1'])
  it.up(2, 3)
  assert.deepEqual(it.wake().orders, ['drain 1 reload', 'spawn 4 in 1 of 2'])
  assert.deepEqual(it.tell({ type: 'scaleRequested', size: 3 }).orders, ['spawn 5 in 2 of 2'])
})

void test('a slot that falls away during its replacement ends the reload', () => {
  const it = running(2)
  it.tell({ type: 'reloadRequested' })
  it.up(3)
  it.wake()
  const { orders, said } = it.tell({ type: 'scaleRequested', size: 1 })
  assert.deepEqual(orders, ['drain 2 scale', 'drain 4 scale'])
  assert.ok(said.includes('reload:finished 2'))
})

void test('a reload asked for before anybody is ready waits for the first', () => {
  const it = drive(2)
  assert.deepEqual(it.tell({ type: 'reloadRequested' }), { orders: [], said: [] })
  it.tell({ type: 'startRequested' })
  const { orders, said } = it.up(1)
  assert.deepEqual(orders, ['spawn 3 in 0 of 2'])
  assert.ok(said.includes('reload:started 1 to 2'))
})

void test('a replacement waits for a place among the boots', () => {
  const it = running(2, { bootParallel: 1 })
  it.exit(2)
  assert.deepEqual(it.tell({ type: 'reloadRequested' }).orders, [])
  assert.deepEqual(it.up(3).orders, ['spawn 4 in 0 of 2'])
})

void test('the first worker of a reload is on trial for longer, if a canary was asked for', () => {
  const it = running(2, { canaryMs: 5000 })
  it.tell({ type: 'reloadRequested' })
  it.up(3)
  assert.equal(it.wakesAt(), 5000)
  it.clock(4000)
  assert.ok(it.exit(3).said.includes('reload:aborted 1 slot 0 died-young'))
  it.tell({ type: 'reloadRequested' })
  it.up(4)
  assert.deepEqual(it.wake().orders, ['drain 1 reload', 'spawn 5 in 1 of 3'])
  it.up(5)
  assert.equal(it.wakesAt(), 10_000, 'the second is proven sooner, after the first one has left in time')
})

void test('a canary that does its work worse aborts the reload; after it is proven nobody asks', () => {
  const it = running(2, { canaryMs: 5000 })
  assert.deepEqual(it.tell({ type: 'workerUnfit', id: 1, said: 'errors' }), { orders: [], said: [] })
  it.tell({ type: 'reloadRequested' })
  it.up(3)
  assert.deepEqual(it.tell({ type: 'workerUnfit', id: 1, said: 'errors' }), { orders: [], said: [] })
  const { orders, said } = it.tell({ type: 'workerUnfit', id: 3, said: 'errors' })
  assert.deepEqual([orders, said[0]], [['drain 3 rollback'], 'reload:aborted 1 slot 0 unfit'])
})

void test('a surge replaces several at a time, once the first is proven', () => {
  const it = running(5, { surge: { percent: 50 } })
  it.tell({ type: 'reloadRequested' })
  it.up(6)
  assert.deepEqual(it.wake().orders, ['drain 1 reload', 'spawn 7 in 1 of 2', 'spawn 8 in 2 of 2'])
  it.up(7, 8)
  it.exit(1, 0)
  assert.deepEqual(it.wake().orders, ['drain 2 reload', 'drain 3 reload', 'spawn 9 in 3 of 2', 'spawn 10 in 4 of 2'])
})

void test('a reload waits while too many generations drain', () => {
  const it = running(1, { maxDraining: 1, drainTimeoutMs: 60_000, provenMs: 0 })
  it.tell({ type: 'reloadRequested' })
  assert.deepEqual(it.up(2).orders, ['drain 1 reload'])
  assert.deepEqual(it.tell({ type: 'reloadRequested' }).orders, [])
  assert.deepEqual(it.exit(1, 0).orders, ['spawn 3 in 0 of 3'])
})

void test('a reload is finished when no old worker takes connections any more', () => {
  const it = running(1, {}, false)
  it.tell({ type: 'reloadRequested' })
  it.up(2)
  assert.deepEqual(it.wake().said, ['worker:draining 1'])
  assert.deepEqual(it.tell({ type: 'workerClosed', id: 1 }).said, ['reload:finished 2'])
  it.tell({ type: 'reloadRequested' })
  it.up(3)
  it.wake()
  assert.deepEqual(it.exit(2, 0).said, ['worker:exited 2 retired for good', 'reload:finished 3'])
})

void test('somebody may have a reload turned back: what boots is killed, what has replaced an old worker is replaced again', () => {
  const it = running(2)
  it.tell({ type: 'reloadRequested' })
  it.up(3)
  it.wake()
  it.exit(1, 0)
  const { orders, said } = it.tell({ type: 'reloadAbortRequested' })
  assert.deepEqual(orders, ['kill 4 reload-aborted', 'spawn 5 in 0 of 1'])
  assert.deepEqual(said, ['reload:aborted 1 slot 0 cancelled'])
  it.exit(4)
  it.up(5)
  assert.deepEqual(it.wake().orders, ['drain 3 rollback'])
  assert.deepEqual([it.state().generation, it.state().reload], [1, undefined])
})

void test('a reload that waits is dropped with the one under way, and each is answered', () => {
  const it = running(1)
  it.tell({ type: 'reloadRequested' })
  it.tell({ type: 'reloadRequested' })
  const { said } = it.tell({ type: 'reloadAbortRequested' })
  assert.deepEqual(said, ['reload:aborted 1 slot 0 cancelled', 'reload:aborted 1 slot 0 cancelled'])
  assert.deepEqual([it.state().reloadQueued, it.state().reload], [false, undefined])
})

void test('without a reload there is nothing to abort', () => {
  const it = running(1)
  assert.deepEqual(it.tell({ type: 'reloadAbortRequested' }), { orders: [], said: [] })
})
