import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drive, running } from './drive.ts'

void test('sockets that nobody uses are given up when the successors of crashed workers are ready and all slots serve', () => {
  const it = running(2)
  it.exit(1)
  it.exit(2)
  it.up(3)
  assert.equal(it.frees(), 0, 'one slot is still empty')
  it.up(4)
  assert.equal(it.frees(), 1)
  it.wake()
  assert.equal(it.frees(), 1, 'once')
})

void test('a start gives up nothing', () => {
  const it = drive(2)
  it.tell({ type: 'startRequested' })
  it.up(1, 2)
  assert.equal(it.frees(), 0)
})

void test('a reload keeps all sockets until it is finished, and another look follows when its old workers are gone', () => {
  const it = running(2)
  it.tell({ type: 'reloadRequested' })
  it.up(3)
  it.wake()
  it.exit(1, 0)
  it.up(4)
  assert.equal(it.frees(), 0)
  it.wake()
  assert.equal(it.frees(), 1, 'what only draining workers use goes at once')
  it.exit(2, 0)
  assert.equal(it.frees(), 2)
})

void test('an aborted reload gives up what only the new code had opened', () => {
  const it = running(1)
  it.tell({ type: 'reloadRequested' })
  it.exit(2)
  assert.equal(it.frees(), 1)
})

void test('scaling down gives up what only the surplus workers used', () => {
  const it = running(2)
  it.tell({ type: 'scaleRequested', size: 1 })
  assert.equal(it.frees(), 1)
})

void test('a worker that leaves by its own wish leaves its sockets to its successor', () => {
  const it = running(1)
  it.clock(5000)
  it.tell({ type: 'workerRetireRequested', id: 1 })
  assert.equal(it.frees(), 0)
  it.up(2)
  assert.equal(it.frees(), 1)
})

void test('a stop gives up everything, and nothing more later', () => {
  const it = running(1)
  assert.deepEqual(it.tell({ type: 'stopRequested', how: 'graceful' }).orders, ['release sockets', 'drain 1 stop'])
  it.exit(1, 0)
  assert.equal(it.frees(), 0)
})
