import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LeastBusy } from '../../src/listen/primary/least-busy.ts'
import { Relay } from '../../src/listen/primary/relay.ts'
import type { Parcel } from '../../src/protocol/messages.ts'
import type { RawHandle } from '../../src/listen/primary/raw-handle.ts'

const KEY = 'tcp'

class FakeHandle implements RawHandle {
  readonly fd = 0
  closed = 0
  close(): void {
    this.closed += 1
  }
}

/** A relay between workers that do nothing by themselves. */
function setUp(workers: readonly number[]) {
  const balance = new LeastBusy()
  const users = new Set(workers)
  const sent: (Parcel & { readonly to: number })[] = []
  const pings: number[] = []
  const unreachable = new Set<number>()
  const coming = new Set<number>()
  const relay = new Relay(balance, {
    users: () => users,
    isComing: (worker) => coming.has(worker),
    ping: (worker) => pings.push(worker),
    send: (to, parcel) => {
      if (unreachable.has(to)) return false
      sent.push({ to, ...parcel })
      return true
    },
  })
  for (const worker of workers) {
    balance.join(worker)
    relay.heard(worker, 0)
  }
  const offer = (from: number, now = 0): FakeHandle => {
    const handle = new FakeHandle()
    relay.offer(from, { key: KEY }, handle, now)
    return handle
  }
  const leave = (worker: number, now = 0): void => {
    balance.leave(worker)
    users.delete(worker)
    unreachable.add(worker)
    relay.gone(worker, now)
  }
  return { balance, relay, users, sent, pings, unreachable, coming, offer, leave, targets: () => sent.map(({ to }) => to) }
}

describe('the relay', () => {
  test('sends to the least busy and closes its copy only when the connection is taken', () => {
    const { balance, relay, sent, offer } = setUp([1, 2])
    balance.report(1, { open: 5, busy: 0 })
    const handle = offer(1)
    assert.deepEqual(sent, [{ to: 2, key: KEY, seq: 1, must: false }])
    assert.equal(handle.closed, 0)
    assert.equal(relay.waiting, 1)
    relay.took(2, 1, 0)
    assert.equal(handle.closed, 1)
    assert.equal(relay.waiting, 0)
    assert.deepEqual(relay.counts, { relayed: 1, gaveBack: 0, gaveUp: 0 })
  })

  test('takes the word of nobody but the target', () => {
    const { balance, relay, offer } = setUp([1, 2])
    balance.report(1, { open: 5, busy: 0 })
    const handle = offer(1)
    relay.took(1, 1, 0)
    relay.took(2, 99, 0)
    assert.equal(handle.closed, 0)
    relay.took(2, 1, 0)
    relay.took(2, 1, 0)
    assert.equal(handle.closed, 1)
  })

  test('gives what was refused to the next, and in the end back, with an order', () => {
    const { balance, relay, sent, offer } = setUp([1, 2, 3])
    balance.report(1, { open: 9, busy: 0 })
    balance.report(3, { open: 1, busy: 0 })
    offer(1)
    for (const { to } of [{ to: 2 }, { to: 3 }, { to: 1 }]) {
      relay.refused(to, 1)
      relay.retry(0)
    }
    assert.deepEqual(sent.map(({ to, must }) => [to, must]), [[2, false], [3, false], [1, false], [1, true]])
    relay.took(1, 1, 0)
    assert.deepEqual(relay.counts, { relayed: 0, gaveBack: 1, gaveUp: 0 })
  })

  test('gives what a dead worker had not taken to another', () => {
    const { balance, relay, targets, offer, leave } = setUp([1, 2, 3])
    balance.report(1, { open: 9, busy: 0 })
    balance.report(3, { open: 1, busy: 0 })
    const handle = offer(1)
    leave(2)
    assert.deepEqual(targets(), [2, 3])
    relay.took(2, 1, 0)
    assert.equal(handle.closed, 0, 'the dead do not speak')
    relay.took(3, 1, 0)
    assert.equal(handle.closed, 1)
  })

  test('keeps what nobody can have until there is a worker again', () => {
    const { balance, relay, users, sent, offer, leave } = setUp([1, 2])
    balance.report(1, { open: 9, busy: 0 })
    const handle = offer(1)
    leave(1)
    leave(2)
    assert.equal(handle.closed, 0)
    users.add(3)
    balance.join(3)
    relay.heard(3, 10)
    assert.equal(sent.at(-1)?.to, 3)
  })

  test('keeps what only workers could have that cannot be reached yet, and sends it when they can', () => {
    const { balance, relay, users, coming, unreachable, sent, offer, leave } = setUp([1, 2])
    balance.report(1, { open: 9, busy: 0 })
    leave(2)
    users.add(3)
    coming.add(3)
    unreachable.add(3)
    const handle = offer(1)
    leave(1)
    assert.equal(handle.closed, 0)
    coming.delete(3)
    unreachable.delete(3)
    relay.retry(0)
    assert.deepEqual(sent.at(-1), { to: 3, key: KEY, seq: 1, must: true })
  })

  test('closes what only workers could have that will never be reached', () => {
    const { relay, users, unreachable, offer, leave } = setUp([1])
    users.add(2)
    unreachable.add(2)
    leave(1)
    assert.equal(offer(1).closed, 1)
    assert.deepEqual(relay.counts, { relayed: 0, gaveBack: 0, gaveUp: 1 })
  })

  test('closes what everybody has refused', () => {
    const { relay, offer } = setUp([1])
    const handle = offer(1)
    relay.refused(1, 1)
    relay.retry(0)
    relay.refused(1, 1)
    relay.retry(0)
    assert.equal(handle.closed, 1)
  })

  test('sends two that are not taken, one more for each answer, and two again after a silence; the rest waits for the least busy', () => {
    const { balance, relay, targets, offer } = setUp([1, 2])
    balance.report(1, { open: 9, busy: 0 })
    for (let count = 0; count < 6; count += 1) offer(1)
    assert.deepEqual(targets(), [2, 2])
    balance.reportOpen(2, 1)
    relay.took(2, 1, 0)
    relay.heard(2, 1)
    assert.deepEqual(targets(), [2, 2, 2, 2], 'three are on their way')
    for (let seq = 2; seq < 4; seq += 1) relay.took(2, seq, 1)
    relay.heard(2, 90)
    assert.deepEqual(targets(), [2, 2, 2, 2, 2], 'two again')
  })

  test('asks a worker that was silent for a sign of life before it sends', () => {
    const { balance, relay, pings, targets, offer } = setUp([1, 2])
    balance.report(1, { open: 9, busy: 0 })
    offer(1, 1000)
    assert.deepEqual([pings, targets()], [[2], []])
    relay.heard(2, 1001)
    assert.deepEqual(targets(), [2])
  })

  test('passes over a worker that does not answer, until it does', () => {
    const { balance, relay, targets, offer } = setUp([1, 2, 3])
    balance.report(1, { open: 9, busy: 0 })
    balance.report(3, { open: 4, busy: 0 })
    relay.heard(3, 1000)
    offer(1, 1000)
    assert.equal(relay.dueAt, 1200)
    relay.heard(3, 1150)
    relay.expire(1199)
    assert.deepEqual(targets(), [])
    relay.expire(1200)
    assert.deepEqual(targets(), [3])
    assert.deepEqual(balance.ceilings().get(2), null, 'nobody measures by it, and it is told nothing')
    assert.deepEqual(balance.ceilings().get(1), 6)
    relay.heard(2, 1300)
    offer(1, 1300)
    assert.deepEqual(targets(), [3, 2])
  })

  test('gives back to the one that accepted when all others have stalled', () => {
    const { balance, relay, sent, offer } = setUp([1, 2])
    balance.report(1, { open: 9, busy: 0 })
    relay.heard(1, 1000)
    offer(1, 1000)
    relay.heard(1, 1150)
    relay.expire(1200)
    assert.deepEqual(sent, [{ to: 1, key: KEY, seq: 1, must: false }])
  })

  test('tries another when one cannot be reached', () => {
    const { balance, targets, unreachable, offer } = setUp([1, 2, 3])
    balance.report(1, { open: 9, busy: 0 })
    unreachable.add(2)
    offer(1)
    assert.deepEqual(targets(), [3])
  })

  test('gives back what is too much, to be offered again, and the rest when nobody else wants it, for good', () => {
    const { relay, sent, balance, offer } = setUp([1, 2])
    balance.leave(1)
    relay.expire(500)
    for (let count = 0; count < 512; count += 1) offer(1, 500)
    assert.deepEqual(sent.at(-1), { to: 1, key: KEY, seq: 512, must: true, again: true })
    balance.setStalled(2, true)
    relay.retry(500)
    assert.deepEqual(sent.at(-1), { to: 1, key: KEY, seq: 511, must: true })
  })

  test('closes what is too much, and all that waits at the end', () => {
    const { relay, offer, leave } = setUp([1])
    leave(1)
    const handles = Array.from({ length: 512 }, () => offer(1))
    assert.deepEqual(handles.filter(({ closed }) => closed > 0), [handles.at(-1)])
    relay.release()
    assert.ok(handles.every(({ closed }) => closed === 1))
    assert.equal(relay.counts.gaveUp, 512)
  })
})
