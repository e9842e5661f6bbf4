import assert from 'node:assert/strict'
import { test } from 'node:test'
import { step } from '../../src/core/step.ts'
import { running } from './drive.ts'

void test('scaling up boots the new slots', () => {
  const it = running(1)
  const { orders, said } = it.tell({ type: 'scaleRequested', size: 3 })
  assert.deepEqual(orders, ['spawn 2 in 1 of 1', 'spawn 3 in 2 of 1'])
  assert.deepEqual(said, ['scale:changed 1 to 3'])
})

void test('scaling down drains the highest slots, which get no successor', () => {
  const it = running(3)
  assert.deepEqual(it.tell({ type: 'scaleRequested', size: 1 }).orders, ['drain 2 scale', 'drain 3 scale'])
  assert.deepEqual(it.exit(3, 0), { orders: [], said: ['worker:exited 3 retired for good'] })
})

void test('the size is at least 1', () => {
  const it = running(2)
  assert.deepEqual(it.tell({ type: 'scaleRequested', size: 0 }).said[0], 'scale:changed 2 to 1')
})

void test('says why', () => {
  const it = running(2)
  for (const [order, size, told] of [
    [{}, 1, { why: 'request' }],
    [{ why: 'machine' }, 2, { why: 'machine' }],
    [{ why: 'load', busy: 0.2 }, 1, { why: 'load', busy: 0.2 }],
  ] as const) {
    const { effects } = step({ ...it.state(), size: 3 - size }, { type: 'scaleRequested', at: 0, size, ...order })
    assert.deepEqual(effects[0], { type: 'announce', notice: { type: 'scale:changed', from: 3 - size, to: size, ...told } })
  }
})

void test('the same size again is no change', () => {
  assert.deepEqual(running(2).tell({ type: 'scaleRequested', size: 2 }), { orders: [], said: [] })
})

void test('scaling up again while the old one drains boots a new one beside it', () => {
  const it = running(2)
  it.tell({ type: 'scaleRequested', size: 1 })
  assert.deepEqual(it.tell({ type: 'scaleRequested', size: 2 }).orders, ['spawn 3 in 1 of 1'])
  it.up(3)
  assert.deepEqual(it.exit(2, 0).orders, [])
})

void test('a slot that waits in back-off is forgotten when it falls away', () => {
  const it = running(2)
  it.exit(2)
  it.exit(3)
  assert.equal(it.wakesAt(), 1000)
  it.tell({ type: 'scaleRequested', size: 1 })
  assert.equal(it.wakesAt(), undefined)
  assert.deepEqual(it.tell({ type: 'scaleRequested', size: 2 }).orders, ['spawn 4 in 1 of 1'])
})
