import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Chosen, type Candidate } from '../../src/listen/primary/chosen.ts'

const anybody = (): boolean => true

/** Three workers, 10, 11 and 12, in the slots 0, 1 and 2. */
function setUp(choose: (loads: readonly Candidate[]) => unknown, tookMs: () => number = () => 0) {
  const dismissed: string[] = []
  let now = 0
  let calls = 0
  const strategy = new Chosen({
    choose: (loads) => {
      calls += 1
      now += tookMs()
      return choose(loads) as number | undefined
    },
    describe: (id, load) => ({ slot: id % 10, ...load }),
    dismissed: (why) => dismissed.push(why),
    clock: () => now,
  })
  for (const id of [10, 11, 12]) {
    strategy.join(id)
    strategy.report(id, { open: id - 10, busy: 0 })
  }
  return { strategy, dismissed, calls: () => calls }
}

describe('a function as balance', () => {
  test('its worker gets the next connections, the others keep what they have', () => {
    const { strategy } = setUp(() => 2)
    assert.deepEqual([...strategy.ceilings()], [[10, -1], [11, -1], [12, Number.MAX_SAFE_INTEGER]])
    assert.equal(strategy.choose(anybody), 12)
    assert.equal(strategy.choose((id) => id !== 12), 10, 'where that one cannot have it, the least busy')
  })

  test('sees who takes connections, with what is on the way', () => {
    const seen: (readonly Candidate[])[] = []
    const { strategy } = setUp((loads) => void seen.push(loads))
    strategy.report(10, { open: 7, busy: 0.5, inFlight: 3, lagMs: 20 })
    strategy.sent(10)
    strategy.setFull(11, true)
    strategy.ceilings()
    assert.deepEqual(seen, [[{ slot: 0, open: 8, busy: 0.5, inFlight: 3, lagMs: 20 }, { slot: 2, open: 2, busy: 0, inFlight: 0, lagMs: 0 }]])
  })

  test('is not asked for each connection, nor where there is only one worker', () => {
    const { strategy, calls } = setUp(() => 1)
    strategy.ceilings()
    for (let count = 0; count < 100; count += 1) strategy.choose(anybody)
    assert.equal(calls(), 1)
    strategy.leave(11)
    assert.equal(strategy.choose(anybody), 10, 'its worker has left')
    strategy.leave(12)
    assert.deepEqual([...strategy.ceilings()], [[10, null]])
    assert.equal(calls(), 1)
  })

  test('undefined, or a slot that has no worker now: least busy decides, and it is asked again', () => {
    const answers = [undefined, 7, 2]
    const { strategy, dismissed } = setUp(() => answers.shift())
    for (const target of [10, 10, 12]) {
      strategy.ceilings()
      assert.equal(strategy.choose(anybody), target)
    }
    assert.deepEqual(dismissed, [])
  })

  test('a worker that does not answer gets nothing, whatever the function says', () => {
    const { strategy } = setUp(() => 2)
    strategy.ceilings()
    strategy.setStalled(12, true)
    assert.equal(strategy.choose(anybody), 10)
  })
})

describe('a function that cannot be relied on', () => {
  const bad: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['throws', () => { throw new Error('a defect') }, /^it threw a defect$/],
    ['returns text', () => 'slot 1', /^it returned a value of type string, which is no slot$/],
    ['returns half a slot', () => 0.5, /^it returned 0\.5, which is no slot$/],
    ['returns null', () => null, /^it returned null, /],
    ['is asynchronous', async () => 1, /^it returned a promise, /],
  ]
  for (const [what, choose, why] of bad) {
    test(`${what}: it is asked no more, and least busy goes on`, () => {
      const { strategy, dismissed, calls } = setUp(choose)
      for (let count = 0; count < 5; count += 1) assert.deepEqual([...strategy.ceilings().values()], [2, 1, 1])
      assert.equal(strategy.choose(anybody), 10)
      assert.equal(calls(), 1)
      assert.equal(dismissed.length, 1)
      assert.match(dismissed[0] ?? '', why)
    })
  }

  test('is late three times in a row: it is asked no more', () => {
    const took = [50, 50, 1, 50, 50, 50]
    const { strategy, dismissed, calls } = setUp(() => 2, () => took.shift() ?? 0)
    for (let count = 0; count < 5; count += 1) strategy.ceilings()
    assert.equal(strategy.choose(anybody), 12)
    for (let count = 0; count < 5; count += 1) strategy.ceilings()
    assert.equal(strategy.choose(anybody), 10)
    assert.equal(calls(), 6)
    assert.deepEqual(dismissed, ['it took more than 10 ms, 3 times in a row; the last time 50 ms'])
  })

  test('a promise that is rejected disturbs nobody', async () => {
    const { strategy, dismissed } = setUp(async () => {
      throw new Error('later')
    })
    strategy.ceilings()
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    assert.equal(dismissed.length, 1)
  })
})
