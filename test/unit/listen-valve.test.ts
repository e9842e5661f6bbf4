import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ListenHandle } from '../../src/listen/worker/handles.ts'
import { createValve } from '../../src/listen/worker/valve.ts'

class FakeHandle implements ListenHandle {
  onconnection?: NonNullable<ListenHandle['onconnection']>
  isRefed = true
  state: 'bound' | 'listening' | 'closed' = 'bound'
  listen(): number {
    this.state = 'listening'
    return 0
  }
  close(): void {
    this.state = 'closed'
  }
  hasRef(): boolean {
    return this.isRefed
  }
  ref(): void {
    this.isRefed = true
  }
  unref(): void {
    this.isRefed = false
  }
  getsockname(out: { port?: number }): number {
    out.port = 3000
    return this.state === 'closed' ? -9 : 0
  }
}

function setUp() {
  const front = new FakeHandle()
  front.listen()
  const asked: ((copy: ListenHandle | undefined) => void)[] = []
  const held: boolean[] = []
  let closed = 0
  const valve = createValve(front, { backlog: 511, ask: (answer) => asked.push(answer), hold: (isHeld) => held.push(isHeld), closed: () => (closed += 1) })
  const answer = (): FakeHandle => {
    const copy = new FakeHandle()
    asked.shift()?.(copy)
    return copy
  }
  return { front, valve, asked, held, answer, closed: () => closed }
}

test('shut: the handle is closed at once, the copy waits, and the server still has its address and keeps the process alive', () => {
  const { front, valve, answer, held } = setUp()
  valve.shut()
  assert.equal(front.state, 'closed')
  const copy = answer()
  assert.equal(copy.state, 'bound')
  const name: { port?: number } = {}
  assert.equal(front.getsockname(name), 0)
  assert.equal(name.port, 3000)
  assert.deepEqual(held, [true])
})

test('open: connections of the copy go to the server as those of its own handle did', () => {
  const { front, valve, answer, held } = setUp()
  const seen: unknown[] = []
  front.onconnection = function (_error, client) {
    seen.push(this, client)
  }
  valve.shut()
  const copy = answer()
  valve.open()
  assert.equal(copy.state, 'listening')
  assert.deepEqual(held, [true, false])
  const client = { bytesRead: 0, close: () => {} }
  copy.onconnection?.(0, client)
  assert.deepEqual(seen, [front, client])
})

test('shut, opened and shut again before the copy has come: asks once, and does what was said last', () => {
  const { valve, asked, answer } = setUp()
  valve.shut()
  valve.open()
  valve.shut()
  assert.equal(asked.length, 1)
  const copy = answer()
  assert.equal(copy.state, 'bound')
  valve.open()
  assert.equal(copy.state, 'listening')
})

test('again and again', () => {
  const { front, valve, answer } = setUp()
  let before: FakeHandle = front
  for (let count = 0; count < 3; count += 1) {
    valve.shut()
    assert.equal(before.state, 'closed')
    before = answer()
    valve.open()
    assert.equal(before.state, 'listening')
  }
})

test('a server that does not keep the process alive still does not', () => {
  const { front, valve, answer, held } = setUp()
  front.unref()
  valve.shut()
  assert.deepEqual(held, [])
  front.ref()
  front.unref()
  assert.deepEqual(held, [true, false])
  const copy = answer()
  valve.open()
  assert.equal(copy.isRefed, false)
})

test('close: nothing is left, whatever is on its way', async () => {
  const { front, valve, asked, answer, held, closed } = setUp()
  valve.shut()
  await new Promise<void>((resolve) => {
    ;(front as ListenHandle).close(resolve)
  })
  valve.open()
  assert.equal(answer().state, 'closed')
  assert.deepEqual(held, [true, false])
  assert.equal(closed(), 1)
  assert.equal(asked.length, 0)
})

test('without a copy it asks again when it is told to open', () => {
  const { valve, asked, answer } = setUp()
  valve.shut()
  asked.shift()?.(undefined)
  assert.equal(asked.length, 0)
  valve.open()
  assert.equal(answer().state, 'listening')
})
