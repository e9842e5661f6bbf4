/** The supervisor's end of a link, without a kernel: when writes are done, and what comes, is said by the test. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { LinkPipe } from '../../src/protocol/link.ts'
import { WorkerLink } from '../../src/primary/worker-link.ts'

async function setUp(canMake = true) {
  const told: string[] = []
  const requests: { oncomplete?: (status: number) => void }[] = []
  const closed: string[] = []
  let waiting = 0
  let read = 0
  let nonce = ''
  const pipe: LinkPipe = {
    get bytesRead() {
      return read
    },
    get writeQueueSize() {
      return waiting
    },
    onread: () => {},
    readStart: () => 0,
    readStop: () => 0,
    writeUtf8String(given, text) {
      const request = given ?? {}
      waiting += text.length
      requests.push(request)
      return request
    },
    open: () => 0,
    ref: () => {},
    unref: () => {},
    close: () => void closed.push('near'),
  }
  const far = { fd: 0, bytesRead: 0, close: () => void closed.push('far') }
  const link = new WorkerLink(
    {
      introduce: (given) => {
        nonce = given
      },
      onOpen: () => told.push('open'),
      onSettled: () => told.push('settled'),
      onClosed: () => told.push('closed'),
      onMessage: (message) => told.push(`${message.type} ${message.seq}`),
      onViolation: (why) => told.push(why),
    },
    async () => Promise.resolve(canMake ? { near: pipe, far } : undefined),
  )
  await setImmediate()
  const come = (message: object): void => {
    const bytes = Buffer.from(`${JSON.stringify(message)}\n`)
    read += bytes.length
    pipe.onread(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
  }
  return { link, told, closed, requests, come, greet: () => come({ type: 'hello', nonce }) }
}

/** Offers come with a connection. */
const offer = (seq: number): object => ({ type: 'offer', seq, offer: { key: 'tcp', open: 1 } })

const PARCEL = { key: 'tcp', seq: 7, must: false }
const HANDLE = { fd: 0, bytesRead: 0, close: () => {} }

describe('the link to a worker', () => {
  test('is open when the worker has said what came on the other channel, and not before', async () => {
    const { link, told, closed, come, greet } = await setUp()
    come({ type: 'hello', nonce: 'guessed' })
    assert.equal(link.deliver(PARCEL, HANDLE), false)
    assert.deepEqual([link.state, told, closed], ['coming', [], []])
    greet()
    assert.deepEqual([link.state, told, closed], ['open', ['open', 'settled'], ['far']])
    link.close()
    assert.deepEqual(told.slice(2), ['closed'])
  })

  test('an answer that comes before the connection has left is heard when it has', async () => {
    const { link, told, requests, come, greet } = await setUp()
    greet()
    assert.equal(link.deliver(PARCEL, HANDLE), true)
    come({ type: 'took', seq: 7, open: 1 })
    assert.deepEqual(told, ['open', 'settled'])
    requests.at(-1)?.oncomplete?.(0)
    assert.deepEqual(told, ['open', 'settled', 'took 7'])
    link.close()
  })

  test('one that cannot be made is told once, as is one of a worker that ends without a greeting', async () => {
    const impossible = await setUp(false)
    assert.deepEqual([impossible.link.state, impossible.told], ['closed', ['settled', 'closed']])

    const silent = await setUp()
    let over = 0
    silent.link.onceClosed(() => (over += 1))
    assert.deepEqual([over, silent.told, silent.closed], [1, ['settled', 'closed'], ['far', 'near']])
  })

  test('a worker may leave large connections unread, but not answers without end', async () => {
    const { link, told, come, greet } = await setUp()
    greet()
    for (let seq = 1; seq <= 16; seq += 1) assert.equal(link.deliver({ ...PARCEL, seq, head: 'x'.repeat(100_000) }, HANDLE), true)
    for (let seq = 1; seq <= 200; seq += 1) come(offer(seq))
    assert.equal(link.state, 'open', told.join())
    for (let seq = 201; seq <= 3000; seq += 1) come(offer(seq))
    assert.deepEqual([link.state, told.at(-1)], ['closed', 'requests without end, and did not read the answers'])
  })

  test('what is not of the protocol ends it', async () => {
    const { link, told, come, greet } = await setUp()
    greet()
    come({ type: 'took', seq: -1 })
    assert.equal(link.state, 'closed')
    assert.deepEqual(told.slice(2), ['closed', 'a message on the link that is not of the protocol'])
  })
})
