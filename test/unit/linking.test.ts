/** How the supervisor keeps a worker linked. Kernel, worker and clock are the test. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { LinkPair } from '../../src/listen/primary/link-pair.ts'
import { Linking } from '../../src/primary/linking.ts'
import type { LinkPipe } from '../../src/protocol/link.ts'

interface Made {
  /** The worker says hello. */
  readonly greet: () => void
  /** Its end is gone. */
  readonly hangUp: () => void
}

/** @param canMake says for each attempt whether the system lets us make a pair */
function setUp(t: TestContext, canMake: () => boolean = () => true) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const told: string[] = []
  const made: Made[] = []
  let connected = true
  let attempts = 0
  let nonce = ''
  const makePair = async (): Promise<LinkPair | undefined> => {
    attempts += 1
    if (!canMake()) return Promise.resolve(undefined)
    let read = 0
    const pipe: LinkPipe = {
      get bytesRead() {
        return read
      },
      writeQueueSize: 0,
      onread: () => {},
      // At its end there is nothing more to read.
      readStart: () => 0,
      readStop: () => 0,
      writeUtf8String: (request) => request ?? {},
      open: () => 0,
      ref: () => {},
      unref: () => {},
      close: () => {},
    }
    made.push({
      greet() {
        const bytes = Buffer.from(`${JSON.stringify({ type: 'hello', nonce })}\n`)
        read += bytes.length
        pipe.onread(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
      },
      hangUp() {
        // The first time the link looks once more for what lies behind a descriptor.
        pipe.onread()
        pipe.onread()
      },
    })
    return Promise.resolve({ near: pipe, far: { fd: 0, close: () => {} } })
  }
  const linking = new Linking(
    {
      isConnected: () => connected,
      introduce: (given) => (nonce = given),
      onLinked: () => told.push('linked'),
      onUnlinked: () => told.push('unlinked'),
      onMessage: () => {},
      onViolation: (why) => told.push(why),
    },
    makePair,
  )
  const pass = async (ms: number): Promise<void> => {
    t.mock.timers.tick(ms)
    await setImmediate()
  }
  return { linking, told, made, attempts: () => attempts, disconnect: () => (connected = false), pass }
}

test('5 s after a link has broken there is another', async (t) => {
  const { linking, told, made, attempts, pass } = setUp(t)
  linking.begin()
  linking.begin()
  await pass(0)
  assert.deepEqual([linking.isComing, linking.isLinked, attempts()], [true, false, 1])
  made[0]?.greet()
  assert.deepEqual([linking.isComing, linking.isLinked, told], [false, true, ['linked']])
  made[0]?.hangUp()
  assert.deepEqual([linking.isComing, linking.isLinked, told], [false, false, ['linked', 'unlinked']])
  await pass(4999)
  assert.equal(attempts(), 1)
  await pass(1)
  made[1]?.greet()
  assert.deepEqual([linking.isLinked, told], [true, ['linked', 'unlinked', 'linked']])
})

test('one that could not be made, or that the worker did not answer, is tried again every 5 s; who waits for it does not wait for that', async (t) => {
  let can = false
  const { linking, told, made, attempts, pass } = setUp(t, () => can)
  linking.begin()
  linking.whenSettled(() => told.push('settled'))
  await pass(0)
  assert.deepEqual(told, ['settled', 'unlinked'])
  can = true
  await pass(5000)
  assert.equal(attempts(), 2)
  // The greeting does not come for 2 s.
  await pass(2000)
  assert.deepEqual(told, ['settled', 'unlinked', 'unlinked'])
  linking.whenSettled(() => told.push('at once'))
  await pass(5000)
  made[1]?.greet()
  assert.deepEqual(told.slice(3), ['at once', 'linked'])
})

test('a worker that drains keeps its link and gets no other', async (t) => {
  const { linking, made, attempts, pass } = setUp(t)
  linking.begin()
  await pass(0)
  made[0]?.greet()
  linking.retire()
  assert.equal(linking.isLinked, true)
  made[0]?.hangUp()
  await pass(5000)
  assert.equal(attempts(), 1)
})

test('a worker without the channel of Node gets no link, and waits for none', async (t) => {
  const { linking, told, attempts, disconnect, pass } = setUp(t)
  linking.begin()
  await pass(0)
  disconnect()
  linking.disconnected()
  await pass(5000)
  assert.deepEqual([linking.isComing, told, attempts()], [false, ['unlinked'], 1])
})

test('of a worker that has ended only the rest is read, and nothing is told', async (t) => {
  const { linking, told, made, attempts, pass } = setUp(t)
  linking.begin()
  await pass(0)
  made[0]?.greet()
  linking.gone()
  let over = 0
  linking.onceClosed(() => (over += 1))
  assert.deepEqual([over, linking.deliver({ key: 'tcp', seq: 1, must: false }, { fd: 0, close: () => {} })], [0, false])
  made[0]?.hangUp()
  await pass(5000)
  assert.deepEqual([over, told, attempts()], [1, ['linked'], 1])
})
