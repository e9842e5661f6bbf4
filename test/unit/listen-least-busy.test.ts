import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LeastBusy } from '../../src/listen/primary/least-busy.ts'
import { isSurplus, toMove } from '../../src/listen/worker/surplus.ts'
import { randomFrom } from '../core/simulation/random.ts'

const balanceOf = (loads: readonly { readonly open: number; readonly busy?: number; readonly inFlight?: number; readonly lagMs?: number }[]): LeastBusy => {
  const balance = new LeastBusy()
  for (const [id, load] of loads.entries()) {
    balance.join(id)
    balance.report(id, { busy: 0, ...load })
  }
  return balance
}
const ceilings = (balance: LeastBusy): readonly (number | null)[] => [...balance.ceilings().values()]
const anybody = (): boolean => true

describe('the balance', () => {
  test('lets each have one more than the least of the others', () => {
    assert.deepEqual(ceilings(balanceOf([{ open: 0 }, { open: 0 }])), [1, 1])
    assert.deepEqual(ceilings(balanceOf([{ open: 3 }, { open: 5 }, { open: 9 }])), [6, 4, 4])
  })

  test('lets a single worker have all', () => {
    assert.deepEqual(ceilings(balanceOf([{ open: 70 }])), [null])
  })

  test('counts what is on the way', () => {
    const balance = balanceOf([{ open: 2 }, { open: 2 }, { open: 3 }])
    balance.sent(0)
    balance.sent(0)
    assert.equal(balance.choose(anybody), 1)
    balance.settled(0)
    balance.settled(0)
    assert.equal(balance.choose(anybody), 0)
  })

  test('takes a worker whose loop is much busier than the others for one with more connections', () => {
    const balance = balanceOf([{ open: 10, busy: 1 }, { open: 11, busy: 0.1 }, { open: 12, busy: 0.1 }])
    assert.equal(balance.choose(anybody), 1)
    const [busy = 0, calm = 0] = ceilings(balance).map(Number)
    assert.ok(busy < calm, `${busy} < ${calm}`)
  })

  test('where all loops are busy, the one whose timers are much later has more to do', () => {
    const balance = balanceOf([{ open: 10, busy: 1, lagMs: 700 }, { open: 12, busy: 1, lagMs: 30 }])
    assert.equal(balance.choose(anybody), 1)
    assert.equal(balanceOf([{ open: 10, lagMs: 80 }, { open: 11, lagMs: 0 }]).choose(anybody), 0, 'a little later is noise')
  })

  test('requests in flight above the mean count as connections', () => {
    const balance = balanceOf([{ open: 20, inFlight: 20 }, { open: 22, inFlight: 0 }])
    assert.equal(balance.choose(anybody), 1)
    assert.deepEqual(ceilings(balance), [17, 27])
    assert.equal(balanceOf([{ open: 20, inFlight: 9 }, { open: 21, inFlight: 3 }]).choose(anybody), 0, 'a few more are noise')
  })

  test('makes no difference where all are busy', () => {
    assert.deepEqual(ceilings(balanceOf([{ open: 10, busy: 1 }, { open: 10, busy: 1 }])), ceilings(balanceOf([{ open: 10 }, { open: 10 }])))
  })

  test('gives nothing to a worker that is full, measures nobody by it, and lets it give away', () => {
    const balance = balanceOf([{ open: 9 }, { open: 20 }, { open: 30 }])
    balance.setFull(0, true)
    assert.equal(balance.choose(anybody), 1)
    assert.deepEqual(ceilings(balance), [21, 31, 21])
    balance.setFull(1, true)
    assert.deepEqual(ceilings(balance), [31, 31, null])
    balance.setFull(2, true)
    assert.equal(balance.choose(anybody), undefined)
    assert.deepEqual(ceilings(balance), [null, null, null])
    balance.setFull(0, false)
    assert.equal(balance.choose(anybody), 0)
  })

  test('forgets who has left, and hears nobody who has not joined', () => {
    const balance = balanceOf([{ open: 0 }, { open: 5 }])
    balance.leave(0)
    balance.report(0, { open: 0, busy: 0 })
    balance.sent(0)
    assert.deepEqual(ceilings(balance), [null])
    assert.equal(balance.choose(anybody), 1)
  })
})

describe('a surplus', () => {
  test('is what exceeds the ceiling and does not go by itself soon', () => {
    assert.equal(isSurplus({ open: 5, ceiling: 5, endingSoon: 0 }), false)
    assert.equal(isSurplus({ open: 6, ceiling: 5, endingSoon: 0 }), true)
    assert.equal(isSurplus({ open: 10, ceiling: 5, endingSoon: 5 }), false)
    assert.equal(isSurplus({ open: 11, ceiling: 5, endingSoon: 5 }), true)
    assert.equal(isSurplus({ open: 500, ceiling: null, endingSoon: 0 }), false)
  })

  test('gives half of its surplus of idle connections away, from two and a tenth of its own on, and at most 32', () => {
    assert.equal(toMove({ open: 6, ceiling: 5, endingSoon: 0 }), 0)
    assert.equal(toMove({ open: 7, ceiling: 5, endingSoon: 0 }), 1)
    assert.equal(toMove({ open: 109, ceiling: 100, endingSoon: 0 }), 0)
    assert.equal(toMove({ open: 120, ceiling: 100, endingSoon: 0 }), 10)
    assert.equal(toMove({ open: 1000, ceiling: 100, endingSoon: 0 }), 32)
    assert.equal(toMove({ open: 1000, ceiling: -1, endingSoon: 0 }), 0)
  })

  test('gives none away that will end by itself: those that have just come look idle, too', () => {
    assert.equal(toMove({ open: 40, ceiling: 25, endingSoon: 200 }), 0)
    assert.equal(toMove({ open: 40, ceiling: 25, endingSoon: 14 }), 8)
  })
})

test('connections that stay are spread evenly whoever accepts them and however old the reports are', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = randomFrom(seed)
    const workers = random.between(2, 16)
    const balance = balanceOf(Array.from({ length: workers }, () => ({ open: 0 })))
    const open = Array.from({ length: workers }, () => 0)
    let told = balance.ceilings()
    for (let count = 0; count < 40 * workers; count += 1) {
      // One that is awake accepts many in a row.
      const acceptor = random.chance(0.7) ? 0 : random.between(0, workers - 1)
      const own = open[acceptor] ?? 0
      let target = acceptor
      const isRelayed = isSurplus({ open: own + 1, ceiling: told.get(acceptor) ?? null, endingSoon: 0 })
      if (isRelayed) {
        balance.reportOpen(acceptor, own)
        target = balance.choose(anybody) ?? acceptor
      }
      open[target] = (open[target] ?? 0) + 1
      if (isRelayed) balance.reportOpen(target, open[target] ?? 0)
      if (random.chance(0.1)) {
        for (const [id, value] of open.entries()) balance.report(id, { open: value, busy: 0 })
        told = balance.ceilings()
      }
    }
    for (const [id, value] of open.entries()) balance.report(id, { open: value, busy: 0 })
    assert.ok(Math.max(...open) - Math.min(...open) <= 3, `seed ${seed}: ${open.join(' ')}`)
  }
})
