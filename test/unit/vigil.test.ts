import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { beatMsFor, Vigil } from '../../src/primary/vigil.ts'

const ROUND_MS = 500

function setUp(hangTimeoutMs = 10_000) {
  let now = 0
  const told: string[] = []
  const marks: boolean[] = []
  const worker = { pid: 7, heardAt: 0, exited: false, isExcused: false }
  const vigil = new Vigil({
    workers: () => [worker],
    guardian: { mark: (_, answers) => void marks.push(answers) },
    hangTimeoutMs,
    onStalled: ({ pid }, silentMs) => told.push(`${pid} silent for ${silentMs}`),
    clock: () => now,
  })
  /** Rounds that come in time. */
  const rounds = (count: number, isHeard = false): void => {
    for (let nth = 0; nth < count; nth += 1) {
      now += ROUND_MS
      if (isHeard) worker.heardAt = now
      vigil.round()
    }
  }
  return { worker, told, marks, rounds, pass: (ms: number) => (now += ms) }
}

describe('the vigil', () => {
  test('tells once of a worker that has been silent for the hang timeout, and not before', () => {
    const { told, rounds } = setUp()
    rounds(3, true)
    rounds(20)
    assert.deepEqual(told, [])
    rounds(1)
    assert.deepEqual(told, ['7 silent for 10500'])
    rounds(50)
    assert.equal(told.length, 1)
  })

  test('says nothing of a worker that is excused, counts anew when it no longer is, and tells the guardian all the same', () => {
    const { worker, told, marks, rounds } = setUp()
    worker.isExcused = true
    rounds(100)
    assert.deepEqual([told, marks.at(-1)], [[], false])
    worker.isExcused = false
    rounds(20)
    assert.deepEqual(told, [])
    rounds(1)
    assert.equal(told.length, 1)
  })

  test('forgets a silence that ends, and tells of the next', () => {
    const { told, rounds } = setUp()
    rounds(19)
    rounds(1, true)
    rounds(19)
    assert.deepEqual(told, [])
    rounds(10)
    rounds(1, true)
    rounds(30)
    assert.equal(told.length, 2)
  })

  test('lets the guardian know sooner, and when the worker answers again', () => {
    const { marks, rounds } = setUp()
    rounds(7)
    rounds(1, true)
    assert.deepEqual(marks, [true, true, true, true, true, false, false, true])
  })

  test('blames nobody for the time in which it was suspended itself', () => {
    const { told, rounds, pass } = setUp()
    rounds(10)
    pass(60_000)
    rounds(1)
    pass(60_000)
    rounds(1)
    assert.deepEqual(told, [])
    rounds(1, true)
    rounds(20)
    assert.deepEqual(told, [])
  })

  test('without a hang timeout tells nobody but the guardian', () => {
    const { told, marks, rounds } = setUp(0)
    rounds(100)
    assert.deepEqual([told, marks.at(-1)], [[], false])
  })

  test('of a worker that has ended says nothing', () => {
    const { worker, told, marks, rounds } = setUp()
    worker.exited = true
    rounds(100)
    assert.deepEqual([told, marks], [[], []])
  })

  test('looks often enough for short timeouts', () => {
    assert.deepEqual([500, 1000, 4000, 10_000, 0].map(beatMsFor), [63, 125, 500, 500, 500])
  })
})
