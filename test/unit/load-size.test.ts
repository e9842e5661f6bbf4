import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { SizeRange } from '../../src/config/types.ts'
import { initialState } from '../../src/core/initial-state.ts'
import type { State, Worker } from '../../src/core/types.ts'
import type { Fact } from '../../src/primary/engine.ts'
import { Sizer } from '../../src/primary/sizer.ts'
import { SETTINGS } from '../core/drive.ts'

const MIB = 1024 ** 2

const ready = (id: number, slot = id - 1, readyAt = 0): Worker => ({ id, slot, generation: 1, pid: id, spawnedAt: 0, readyAt, phase: { name: 'ready', since: readyAt, proven: true }, due: undefined, worn: undefined })

function stateOf(workers: readonly Worker[], size = workers.length): State {
  return { ...initialState({ ...SETTINGS, stableMs: 10_000 }, size), phase: 'running', everReady: true, everRunning: true, workers }
}

/** The worker in slot 1 is the successor of one that failed. */
function afterFailure(readyAt: number): State {
  const state = stateOf([ready(1), ready(2, 1, readyAt)])
  return { ...state, slots: state.slots.map((slot) => ({ ...slot, failures: slot.index })) }
}

interface Given {
  readonly state?: State
  readonly derived?: (asked?: 'auto') => SizeRange | undefined
  readonly free?: number
  readonly range?: SizeRange
}

/** Two workers that serve, of up to eight, and what the sizer says of them. */
function sizer(t: TestContext, { state = stateOf([ready(1), ready(2)]), derived = () => undefined, free, range = { least: 1, most: 8 } }: Given = {}) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const it = { state, isUpgrading: false, now: 0, free, facts: [] as Fact[], warnings: [] as string[] }
  const settings = { shrinkAfterMs: 60_000, sizing: { size: range.least, most: range.most, asked: '', cores: 8, quota: undefined, auto: 8, memoryLimit: undefined, warnings: [] } }
  const subject = new Sizer(settings, {
    state: () => it.state,
    isUpgrading: () => it.isUpgrading,
    freeMemory: () => it.free,
    clock: () => it.now,
    derivedRange: derived,
    warn: (text) => it.warnings.push(text),
    tell: (fact) => it.facts.push(fact),
  })
  subject.start()
  t.after(() => subject.stop())
  /** Beats and looks for some seconds; a worker that is left out says nothing. */
  const pass = (seconds: number, busy: Readonly<Record<number, number>>, rss = 100 * MIB): readonly Fact[] => {
    const before = it.facts.length
    for (let round = 0; round < seconds * 2 && it.facts.length === before; round += 1) {
      for (const [id, part] of Object.entries(busy)) subject.load.beat(Number(id), { busy: part, rss })
      it.now += 500
      t.mock.timers.tick(500)
    }
    return it.facts.slice(before)
  }
  return { it, subject, pass }
}

const BUSY = { 1: 0.9, 2: 0.9 }
const GROWTH = [{ type: 'scaleRequested', size: 3, why: 'load', busy: 0.9 }]

describe('the number of workers follows the load', () => {
  test('up, when they are busy', (t) => assert.deepEqual(sizer(t).pass(6, BUSY), GROWTH))

  test('down, when they are not', (t) => {
    const { pass } = sizer(t)
    assert.deepEqual(pass(60, { 1: 0, 2: 0.4 }), [])
    assert.deepEqual(pass(6, { 1: 0, 2: 0.4 }), [{ type: 'scaleRequested', size: 1, why: 'load', busy: 0.2 }])
  })

  test('the mean counts', (t) => assert.deepEqual(sizer(t).pass(100, { 1: 1, 2: 0.1 }), []))

  test('workers that drain, spares, and old workers beside their replacements do not', (t) => {
    const drains: Worker = { ...ready(3, 1), phase: { name: 'draining', deadline: 1, reason: 'recycle', accepts: false } }
    const spare: Worker = { ...ready(4, -1), phase: { name: 'spare' } }
    assert.deepEqual(sizer(t, { state: stateOf([ready(1), ready(2), drains, spare], 2) }).pass(6, { ...BUSY, 3: 0, 4: 0 }), GROWTH)
  })

  for (const [what, change] of [
    ['a reload', { reload: { from: 1, to: 2, startedAt: 0, direction: 'forward', failure: undefined, proven: false, crashes: 0 } }],
    ['a reload that waits', { reloadQueued: true }],
    ['a stop', { stop: { how: 'graceful', outcome: { name: 'stopped' } } }],
    ['the delay before a stop', { stopDue: { at: 1e12 } }],
    ['a start', { phase: 'starting' }],
    ['a service that is degraded', { phase: 'degraded' }],
    ['the boot of a worker', { workers: [ready(1), { ...ready(2), readyAt: undefined, phase: { name: 'booting', deadline: undefined } }] }],
    ['the back-off of a slot', { workers: [ready(1)] }],
  ] as const satisfies readonly (readonly [string, Partial<State>])[]) {
    test(`not during ${what}`, (t) => {
      const { it, pass } = sizer(t)
      const { state } = it
      it.state = { ...state, ...change }
      assert.deepEqual(pass(100, BUSY), [])
      assert.deepEqual(pass(100, { 1: 0, 2: 0 }), [])
      it.state = state
      const [growth] = pass(9, { 1: 1, 2: 1 })
      assert.deepEqual(growth, { ...GROWTH[0], busy: 1 })
    })
  }

  test('not while a worker has just come back from a failure', (t) => {
    const { it, pass } = sizer(t)
    it.state = afterFailure(it.now)
    assert.deepEqual(pass(9, BUSY), [])
    assert.deepEqual(pass(8, BUSY), GROWTH, 'stable after 10 s')
  })

  test('not during an upgrade, nor before all have been heard', (t) => {
    const { it, pass } = sizer(t)
    assert.deepEqual(pass(20, { 1: 1 }), [])
    it.isUpgrading = true
    assert.deepEqual(pass(20, BUSY), [])
    it.isUpgrading = false
    assert.deepEqual(pass(6, BUSY), GROWTH)
  })

  test('not beyond the memory that is free, by the largest worker; told once', (t) => {
    const { it, pass } = sizer(t, { free: 99 * MIB })
    assert.deepEqual(pass(60, BUSY), [])
    assert.deepEqual(it.warnings, ['event loops 90 % busy, but there is no memory for another worker: 99M are free, and the largest worker has 100M'])
    it.free = 100 * MIB
    assert.deepEqual(pass(1, BUSY), GROWTH)
  })
})

describe('who has chosen a number', () => {
  test('has it, until the load may say again', (t) => {
    const { it, subject, pass } = sizer(t)
    subject.stop()
    assert.deepEqual(pass(100, BUSY), [])
    it.state = stateOf(Array.from({ length: 10 }, (_, index) => ready(index + 1)))
    assert.equal(subject.choose('auto'), 8)
    it.state = stateOf([ready(1), ready(2)])
    assert.deepEqual(pass(6, BUSY), GROWTH)
  })

  test('gives it back to the machine', (t) => {
    const { it, subject } = sizer(t, { range: { least: 4, most: 4 }, derived: () => ({ least: 3, most: 3 }) })
    subject.stop()
    t.mock.timers.tick(10_000)
    assert.deepEqual(it.facts, [])
    assert.equal(subject.choose('auto'), 3)
  })

  test('gives it to the machine, also where a number was asked for at the start', (t) => {
    let cores = 4
    const { it, subject } = sizer(t, { range: { least: 2, most: 2 }, derived: (asked) => (asked === undefined ? undefined : { least: cores, most: cores }) })
    assert.equal(subject.choose('auto'), 4)
    cores = 3
    t.mock.timers.tick(10_000)
    assert.deepEqual(it.facts, [{ type: 'scaleRequested', size: 3, why: 'machine' }])
    assert.equal(subject.choose(5), 5)
    cores = 2
    t.mock.timers.tick(10_000)
    assert.equal(it.facts.length, 1)
  })
})

describe('when the machine changes', () => {
  test('the ends move, and the number with them', (t) => {
    let range: SizeRange = { least: 1, most: 8 }
    const { it, pass } = sizer(t, { state: stateOf([ready(1), ready(2), ready(3)]), derived: () => range })
    range = { least: 1, most: 2 }
    assert.deepEqual(pass(2, { 1: 1, 2: 1, 3: 1 }), [{ type: 'scaleRequested', size: 2, why: 'machine' }])
    it.state = stateOf([ready(1), ready(2)])
    assert.deepEqual(pass(20, BUSY), [], 'there are as many as there may be')
    range = { least: 2, most: 3 }
    assert.deepEqual(pass(8, BUSY), GROWTH)
  })

  test('a range whose ends were one may get two', (t) => {
    const { pass } = sizer(t, { range: { least: 2, most: 2 }, derived: () => ({ least: 2, most: 4 }) })
    assert.deepEqual(pass(9, BUSY), GROWTH)
  })
})
