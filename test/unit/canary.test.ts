import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { initialState } from '../../src/core/initial-state.ts'
import { CanaryWatch, judge, type Trial } from '../../src/primary/canary.ts'
import { SETTINGS } from '../core/drive.ts'
import type { State, Worker } from '../../src/core/types.ts'

const worker = (id: number, generation: number): Worker => ({ id, slot: 0, generation, pid: id, spawnedAt: 0, readyAt: 0, phase: { name: 'ready', since: 0, proven: generation === 1 }, due: undefined, worn: undefined })
const trial = (requests: number, errors: number, busy = 0, samples = 1): Trial => ({ requests, errors, busy: busy * samples, samples })

describe('the first new worker', () => {
  for (const [what, canary, old, lifetime, said] of [
    ['as good as the old ones is fit', trial(1000, 10), trial(1000, 10), trial(1e6, 1e4), undefined],
    ['a little worse is fit', trial(1000, 25), trial(1000, 10), trial(1e6, 1e4), undefined],
    ['with far more errors is not', trial(1000, 60), trial(1000, 10), trial(1e6, 1e4), /6 % of its 1000 requests .* 1 %/],
    ['with few requests is not judged', trial(19, 19), trial(1000, 0), trial(1e6, 0), undefined],
    ['with few errors is not judged', trial(50, 4), trial(1000, 0), trial(1e6, 0), undefined],
    ['with the errors that are usual is fit, though the old ones have done nothing meanwhile', trial(100, 50), trial(0, 0), trial(1000, 500), undefined],
    ['is not judged before an old one was heard', trial(1000, 1000), trial(0, 0, 0, 0), trial(0, 0), undefined],
    ['that is far busier is not fit', trial(1000, 0, 0.95, 20), trial(1000, 0, 0.2, 60), trial(1e6, 0), /95 % busy.* 20 %/],
    ['that is busy for a moment is fit', trial(1000, 0, 0.95, 19), trial(1000, 0, 0.2, 60), trial(1e6, 0), undefined],
    ['that is somewhat busier is fit', trial(1000, 0, 0.6, 20), trial(1000, 0, 0.2, 60), trial(1e6, 0), undefined],
  ] as const) {
    test(what, () => {
      if (said === undefined) assert.equal(judge(canary, old, lifetime), undefined)
      else assert.match(judge(canary, old, lifetime) ?? '', said)
    })
  }

  test('is judged while it is on trial, by what has come since the reload began', () => {
    const told: string[] = []
    const watch = new CanaryWatch((id, said) => told.push(`${id}: ${said}`))
    const reload = { from: 1, to: 2, startedAt: 0, direction: 'forward', failure: undefined, proven: false, crashes: 0 } as const
    const state: State = { ...initialState({ ...SETTINGS, canaryMs: 30_000 }, 1), workers: [worker(1, 1), worker(2, 2)], reload }
    watch.beat(state, 1, { requests: 10_000, errors: 100, busy: 0.1 })
    watch.beat(state, 1, { requests: 10_100, errors: 101, busy: 0.1 })
    watch.beat(state, 2, { requests: 100, errors: 1, busy: 0.1 })
    watch.beat({ ...state, reload: { ...reload, proven: true } }, 2, { requests: 200, errors: 200, busy: 0.1 })
    watch.beat({ ...state, reload: undefined }, 2, { requests: 200, errors: 200, busy: 0.1 })
    assert.deepEqual(told, [])
    watch.beat(state, 2, { requests: 200, errors: 100, busy: 0.1 })
    assert.deepEqual(told, ["2: 50 % of its 200 requests failed (status 500 and above), of the old workers' 1 %"])
  })
})
