import assert from 'node:assert/strict'
import { test } from 'node:test'
import { snapshot } from '../../src/core/snapshot.ts'
import { running } from './drive.ts'

void test('the snapshot shows the workers with their slots, and the slots with their restarts', () => {
  const it = running(2)
  it.clock(10)
  it.exit(2)
  assert.deepEqual(snapshot(it.state()), {
    phase: 'degraded',
    size: 2,
    generation: 1,
    reload: undefined,
    restart: undefined,
    workers: [
      { id: 1, slot: 0, pid: 101, phase: 'ready', reason: undefined, generation: 1, spawnedAt: 0, readyAt: 0, restarts: 0 },
      { id: 3, slot: 1, pid: undefined, phase: 'booting', reason: undefined, generation: 1, spawnedAt: 10, readyAt: undefined, restarts: 1 },
    ],
    slots: [
      { index: 0, failures: 0, restarts: 0, respawnAt: 0 },
      { index: 1, failures: 1, restarts: 1, respawnAt: 10 },
    ],
  })
})

void test('the snapshot shows the slots below size only', () => {
  const it = running(2)
  it.tell({ type: 'scaleRequested', size: 1 })
  const view = snapshot(it.state())
  assert.deepEqual([view.slots.length, view.workers.map((worker) => worker.phase)], [1, ['ready', 'draining']])
})
