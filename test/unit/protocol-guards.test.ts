/** What a worker sends is any bytes at all: the primary reads a message of the protocol, or nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeFrame, FRAME, FrameDecoder, type Frame } from '../../src/protocol/frames.ts'
import { parseLinkMessage, parseWorkerMessage } from '../../src/protocol/guards.ts'
import { randomFrom } from './logs-random.ts'

const CASES = 50_000

const MESSAGES: readonly object[] = [
  { type: 'bind', seq: 1, address: '127.0.0.1', port: 0, addressType: 4, fd: null, flags: 0, index: 0, readableAll: false, writableAll: false, ticketKeys: null, backlog: 511 },
  { type: 'listening', kind: 'http', address: '::', port: 80, key: 'k' },
  { type: 'load', open: 1, busy: 0.5, inFlight: 1, lagMs: 0, accepted: 1, handedOver: { surplus: 0, full: 0, owner: 0 }, moved: 0, taken: 0, refused: 0, dropped: 0 },
  { type: 'beat', rss: 1, heap: 0.5, requests: 1, errors: 0 },
  { type: 'fatal', error: { name: 'Error', message: 'm', stack: 's' } },
  { type: 'copy', seq: 1, key: 'k' },
  { type: 'ready' },
  { type: 'hello', nonce: 'n' },
  { type: 'took', seq: 1, open: 1 },
  { type: 'offer', seq: 1, offer: { key: 'k', open: 1 } },
]
const ODD: readonly unknown[] = [null, true, -1, 1.5, Number.MAX_VALUE, 2 ** 53, '', 'x'.repeat(70_000), [], {}, [[]], { type: 'ready' }, '__proto__', 'constructor']

test('forged control messages, random ones: each is read as a message of the protocol or as nothing, and pollutes nothing', () => {
  const chance = randomFrom('forged messages')
  const pick = <T>(list: readonly T[]): T => list[chance.int(list.length)] as T
  const types = new Set(MESSAGES.map((message) => (message as { readonly type: string }).type))
  let read = 0
  for (let count = 0; count < CASES; count += 1) {
    const fields = Object.entries(pick(MESSAGES)).filter(() => chance.random() > 0.05).map(([name, value]) => [name, chance.random() > 0.2 ? (value as unknown) : pick(ODD)])
    const text = JSON.stringify(Object.fromEntries([...fields, ['__proto__', { polluted: true }]]))
    const torn = chance.random() < 0.2 ? text.slice(chance.int(text.length)) : text
    for (const parse of [parseWorkerMessage, parseLinkMessage]) {
      const message = parse(torn)
      if (message === undefined) continue
      read += 1
      assert.ok(types.has(message.type), chance.note)
      assert.ok(!('polluted' in message), chance.note)
    }
  }
  assert.ok(read > CASES / 20, `${read} were read`)
  assert.equal(({} as { polluted?: unknown }).polluted, undefined)
})

test('frames are the same whatever pieces they come in, and what is no frame is refused before it costs memory', () => {
  const chance = randomFrom('frames in pieces')
  const bodies = Array.from({ length: 50 }, (_, index) => `${index} ${'ä'.repeat(chance.int(2000))}`)
  const bytes = Buffer.concat(bodies.map((body) => encodeFrame(FRAME.control, body) ?? Buffer.alloc(0)))
  const decoder = new FrameDecoder()
  const frames: Frame[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + chance.int(500)
    assert.ok(decoder.push(bytes.subarray(at, at + size), (frame) => frames.push(frame)), chance.note)
    at += size
  }
  assert.deepEqual(frames.map((frame) => ('body' in frame ? frame.body : undefined)), bodies, chance.note)
  for (const head of [[255, 255, 255, 255], [0, 0, 0, 0], [2, 0, 0, 0, 9, 0]]) assert.equal(new FrameDecoder().push(Buffer.from(head), () => assert.fail('a frame')), false)
})
