import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Relay } from '../../src/listen/primary/relay.ts'
import type { Parcel } from '../../src/protocol/messages.ts'
import { Sticky } from '../../src/listen/primary/sticky.ts'
import { pinOf, ranking } from '../../src/protocol/sticky.ts'

const anybody = (): boolean => true
const pin = pinOf('secret', 'client')

/** Workers 10, 11, ... in the slots 0, 1, ... with so many connections. */
function setUp(opens: readonly number[], factor = 1.25): { readonly sticky: Sticky; readonly order: readonly number[] } {
  const sticky = new Sticky(factor)
  for (const [slot, open] of opens.entries()) {
    sticky.join(10 + slot, slot)
    sticky.report(10 + slot, { open, busy: 0 })
  }
  return { sticky, order: ranking(pin, [...opens.keys()]).map((slot) => 10 + slot) }
}

describe('the sticky strategy', () => {
  test('gives a client to the worker of its slot, however busy, and others to the least busy', () => {
    const { sticky, order } = setUp([1, 1, 1, 0])
    const [owner = -1] = order
    sticky.report(owner, { open: 20, busy: 1 })
    assert.equal(sticky.choose(anybody, pin), owner)
    assert.notEqual(sticky.choose(anybody), owner)
    sticky.report(order[2] ?? -1, { open: 0, busy: 0 })
    for (const other of [0, 1, 3]) sticky.report(order[other] ?? -1, { open: 5, busy: 0 })
    assert.equal(sticky.choose(anybody), order[2])
  })

  test('follows the ranking over workers that are full, stalled, unfit or gone', () => {
    const { sticky, order } = setUp([0, 0, 0, 0])
    const [a = -1, b = -1, c = -1, d = -1] = order
    sticky.setStalled(a, true)
    assert.equal(sticky.choose(anybody, pin), b)
    assert.equal(sticky.choose((id) => id !== b, pin), c)
    sticky.leave(c)
    assert.equal(sticky.choose((id) => id !== b, pin), d)
    assert.equal(sticky.choose(() => false, pin), undefined)
    sticky.setStalled(a, false)
    assert.equal(sticky.choose(anybody, pin), a)
  })

  test('one client with very many connections spreads over the ranking, within the bound', () => {
    const { sticky, order } = setUp([0, 0, 0, 0])
    const open = new Map(order.map((id) => [id, 0]))
    for (let count = 0; count < 4000; count += 1) {
      const id = sticky.choose(anybody, pin) ?? -1
      open.set(id, (open.get(id) ?? 0) + 1)
      sticky.reportOpen(id, open.get(id) ?? 0)
      assert.ok((open.get(id) ?? 0) <= Math.max(Math.ceil(((count + 1) / 4) * 1.25), Math.floor((count + 1) / 4) + 32) + 1)
    }
    const counts = order.map((id) => open.get(id) ?? 0)
    assert.deepEqual(counts, counts.toSorted((a, b) => b - a), 'in the order of the ranking')
    assert.ok((counts[3] ?? 0) > 0)
  })

  test('what is on its way counts', () => {
    const { sticky, order } = setUp([0, 0])
    for (let count = 0; count < 64; count += 1) sticky.sent(order[0] ?? -1)
    assert.equal(sticky.choose(anybody, pin), order[1])
    for (let count = 0; count < 64; count += 1) sticky.settled(order[0] ?? -1)
    assert.equal(sticky.choose(anybody, pin), order[0])
  })

  test('when everybody is full the least busy has it', () => {
    const { sticky } = setUp([0, 0, 0], 1)
    for (const [id, open] of [[10, 100], [11, 101], [12, 102]] as const) sticky.report(id, { open, busy: 0 })
    assert.ok([10, 11, 12].includes(sticky.choose(anybody, pin) ?? -1))
    assert.equal(new Sticky(1).choose(anybody, pin), undefined)
  })

  test('of two workers in one slot the younger has the seat, until it is gone', () => {
    const { sticky, order } = setUp([0, 0])
    const [owner = -1] = order
    const slot = owner - 10
    sticky.join(50, slot)
    assert.equal(sticky.choose(anybody, pin), 50)
    assert.equal(sticky.seats().find((seat) => seat.slot === slot)?.id, 50)
    sticky.leave(50)
    assert.equal(sticky.choose(anybody, pin), owner, 'a successor that failed gives it back')
    sticky.join(51, slot)
    sticky.leave(owner)
    assert.equal(sticky.choose(anybody, pin), 51)
    sticky.leave(51)
    assert.equal(sticky.choose(anybody, pin), order[1], 'a slot without a worker')
    assert.deepEqual(sticky.seats().map((seat) => seat.id), [order[1]])
    sticky.leave(99)
  })
})

function relayOf(opens: readonly number[]) {
  const { sticky, order } = setUp(opens)
  const sent: (Parcel & { readonly to: number })[] = []
  const relay = new Relay(sticky, { users: () => new Set(order), isComing: () => false, ping: () => {}, send: (to, parcel) => sent.push({ to, ...parcel }) > 0 })
  for (const id of order) relay.heard(id, 0)
  let closed = 0
  const offer = (now = 0, from?: number): void => relay.offer(from, { key: 'tcp', pin, head: 'aGVhZA==' }, { fd: 0, close: () => (closed += 1) }, now)
  return { relay, order, sent, offer, closed: () => closed }
}

describe('the relay of sticky connections', () => {
  test('carry their key and what was read of them', () => {
    const { order, sent, offer } = relayOf([0, 0, 0])
    offer()
    assert.deepEqual(sent, [{ to: order[0], key: 'tcp', pin, head: 'aGVhZA==', seq: 1, must: false }])
  })

  test('wait for a worker that does not answer, for two seconds and then no longer', () => {
    const { relay, order, sent, offer } = relayOf([0, 0, 0])
    for (let count = 0; count < 6; count += 1) offer()
    assert.deepEqual(sent.map(({ to }) => to), [order[0], order[0]])
    relay.expire(1999)
    assert.equal(sent.length, 2)
    relay.heard(order[1] ?? -1, 2000)
    relay.heard(order[2] ?? -1, 2000)
    relay.expire(2000)
    assert.equal(sent.length, 4)
    assert.deepEqual(sent.slice(2).map(({ to }) => to), [order[1], order[1]])
  })

  test('when too many are under way, who accepted one keeps it', () => {
    const { order, sent, offer, closed } = relayOf([0, 0, 0])
    for (let count = 0; count < 1000; count += 1) offer(0, order[2])
    assert.equal(closed(), 0)
    const back = sent.filter(({ must }) => must)
    assert.equal(back.length, 1000 - 511)
    assert.ok(back.every(({ to }) => to === order[2]))
  })

  test('a worker that hangs costs nobody a connection while others answer', () => {
    const { relay, order, sent, offer, closed } = relayOf([0, 0, 0])
    let taken = 0
    for (let count = 0; count < 2000; count += 1) {
      offer()
      // The others take at once what they get.
      for (; taken < sent.length; taken += 1) {
        const parcel = sent[taken]
        if (parcel !== undefined && parcel.to !== order[0]) relay.took(parcel.to, parcel.seq, 0)
      }
    }
    const delivered = sent.filter(({ to }) => to !== order[0]).length
    assert.equal(closed(), delivered, 'the only copies that are closed are those of connections that somebody has')
    assert.ok(delivered > 1700, String(delivered))
  })
})
