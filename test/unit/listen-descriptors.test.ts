import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDescriptors, type DescriptorUse } from '../../src/listen/worker/descriptors.ts'
import { until } from '../harness/until.ts'

const LIMIT = 1000

/** A process with as many descriptors as its test says; connections get the lowest number that is free. */
function setUp(used: number) {
  const use = { used, limit: LIMIT, isExhausted: false }
  const told: (DescriptorUse | 'accepting')[] = []
  let measured = 0
  const descriptors = createDescriptors(
    {
      full: (fact) => told.push(fact),
      accepting: () => told.push('accepting'),
    },
    () => {
      measured += 1
      return use.isExhausted ? undefined : { used: use.used, limit: use.limit }
    },
    // Counting takes no time, however busy the machine is.
    () => 0,
  )
  return {
    use,
    told,
    descriptors,
    measured: () => measured,
    accept: (count: number): void => {
      for (let each = 0; each < count; each += 1) {
        descriptors.opened(use.used)
        use.used += 1
      }
    },
  }
}

test('a worker is full at nine tenths of its limit, and has room below 85 per cent', async () => {
  const { use, told, descriptors, accept } = setUp(20)
  accept(879)
  assert.deepEqual(told, [])
  accept(1)
  assert.deepEqual(told, [{ used: 900, limit: LIMIT }])
  assert.equal(descriptors.isFull(), true)
  accept(10)
  assert.equal(told.length, 1, 'once')
  use.used = 849
  await until('it accepts again', () => told.at(-1) === 'accepting')
  assert.equal(descriptors.isFull(), false)
  descriptors.stop()
})

test('the limit is not asked for while few are open, and the rest is counted the sooner, the less is left', () => {
  const { accept, measured } = setUp(20)
  accept(12)
  assert.equal(measured(), 0)
  accept(860)
  assert.ok(measured() < 12, `${measured()} times`)
})

test('descriptors above the one that was given count too', () => {
  const { use, told, descriptors, accept } = setUp(20)
  accept(100)
  use.used = 950
  for (let each = 0; each < 500; each += 1) descriptors.opened(200)
  assert.deepEqual(told, [{ used: 950, limit: LIMIT }])
  descriptors.stop()
})

test('a process that cannot even count is full', () => {
  const { use, told, descriptors } = setUp(20)
  use.isExhausted = true
  descriptors.opened(63)
  assert.deepEqual(told, [{ used: 64, limit: 64 }])
  descriptors.stop()
})

test('nothing is told of a worker that leaves', () => {
  const { told, accept, descriptors } = setUp(880)
  descriptors.stop()
  accept(100)
  assert.deepEqual(told, [])
})
