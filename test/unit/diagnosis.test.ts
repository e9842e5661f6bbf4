/** Looking into a worker, seen from the supervisor: what it trusts, and how much of a profile it holds. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, test } from 'node:test'
import { WorkerChannel } from '../../src/primary/control-channel.ts'
import { WorkerDiagnosis } from '../../src/primary/worker-diagnosis.ts'
import { parseDiagnosisReport, PIECE_BYTES, type DiagnosisOrder } from '../../src/protocol/diagnosis.ts'
import { encodeBytes, encodeFrame, FRAME, FrameDecoder, type Frame } from '../../src/protocol/frames.ts'
import { until } from '../harness/until.ts'

const never = new AbortController().signal

function setUp() {
  const orders: DiagnosisOrder[] = []
  const diagnosis = new WorkerDiagnosis({ order: (order) => void orders.push(order), heardAt: () => 0 })
  return { diagnosis, orders, last: () => orders.at(-1) ?? assert.fail('no order') }
}

/** A profile of so many bytes that is complete. */
async function profiled(bytes: number, signal = never) {
  const { diagnosis, orders, last } = setUp()
  const asked = diagnosis.profile('cpu', 1000, signal)
  const { seq } = last()
  diagnosis.take({ type: 'profiling', seq })
  await until('it waits for the end', () => {
    diagnosis.take({ type: 'profiled', seq, bytes })
    return orders.some(({ type }) => type === 'fetch')
  })
  return { diagnosis, orders, seq, profile: await asked }
}

const ordered = (orders: readonly DiagnosisOrder[]): number => orders.reduce((sum, order) => sum + (order.type === 'fetch' ? order.bytes : 0), 0)

describe('a profile', () => {
  test('is asked for a window at a time, as quickly as it is read, and whole in the end', async () => {
    const bytes = 20 * PIECE_BYTES + 5
    const { diagnosis, orders, seq, profile } = await profiled(bytes)
    assert.equal(ordered(orders), 8 * PIECE_BYTES, 'nobody has read anything')
    let [sent, read] = [0, 0]
    while (read < bytes) {
      for (; ordered(orders) - sent >= Math.min(PIECE_BYTES, bytes - sent) && sent < bytes; sent += Math.min(PIECE_BYTES, bytes - sent)) diagnosis.takeBytes(seq, new Uint8Array(Math.min(PIECE_BYTES, bytes - sent)))
      assert.ok(sent - read <= 8 * PIECE_BYTES)
      // oxlint-disable-next-line no-await-in-loop
      read += (await profile.read())?.length ?? assert.fail('it ended too soon')
    }
    assert.equal(await profile.read(), undefined)
    await profile.ended
    assert.deepEqual([read, ordered(orders), diagnosis.doing], [bytes, bytes, undefined])
  })

  test('ends with an error when the worker does, and the worker is free for another when it is called off', async () => {
    const first = await profiled(100)
    const reading = first.profile.read()
    first.diagnosis.gone()
    await assert.rejects(reading, { code: 'ERR_EVERYCORE_DIAGNOSIS', message: 'the worker ended meanwhile' })
    const ending = new AbortController()
    const second = await profiled(100, ending.signal)
    assert.equal(second.diagnosis.doing, 'cpu')
    await assert.rejects(second.diagnosis.profile('cpu', 1000, never), /being profiled already/)
    ending.abort()
    await second.profile.ended
    assert.deepEqual([second.diagnosis.doing, second.orders.at(-1)], [undefined, { type: 'forget', seq: second.seq }])
  })

  test('a report that the worker cannot do it is told, and bytes of another one are not taken', async () => {
    const { diagnosis, last } = setUp()
    const asked = diagnosis.profile('heap', 0, never)
    assert.equal(diagnosis.isExcused, true, 'it is about to stand still')
    diagnosis.takeBytes(last().seq + 1, new Uint8Array(1))
    diagnosis.take({ type: 'failed', seq: last().seq, why: 'no memory' })
    await assert.rejects(asked, { code: 'ERR_EVERYCORE_DIAGNOSIS', why: 'no memory' })
    assert.equal(diagnosis.isExcused, false)
  })
})

describe('what a worker says', () => {
  for (const text of ['', '[]', '{}', '{"type":"profiled","seq":1}', '{"type":"profiled","seq":1,"bytes":-1}', '{"type":"profiled","seq":1,"bytes":1e400}', '{"type":"inspecting","seq":1,"url":"http://x","wasOpen":false}', '{"type":"inspecting","seq":1,"url":"ws://x\\u001b[2J","wasOpen":false}', '{"type":"uninspected"}', '{"type":"open","seq":1}']) {
    test(`is not believed: ${text}`, () => assert.equal(parseDiagnosisReport(text), undefined))
  }
  test('is believed when it is right', () => {
    const report = { type: 'inspecting', seq: 1, url: 'ws://127.0.0.1:9229/a-b', wasOpen: false }
    assert.deepEqual(parseDiagnosisReport(JSON.stringify({ ...report, more: 1 })), report)
  })
})

describe('frames', () => {
  test('carry bytes, in pieces of any size', () => {
    const stream = Buffer.concat([encodeBytes(7, Buffer.from('profile')), encodeFrame(FRAME.diagnosis, '{}') ?? Buffer.alloc(0)])
    const frames: Frame[] = []
    const decoder = new FrameDecoder()
    for (const byte of stream) assert.equal(decoder.push(Buffer.from([byte]), (frame) => void frames.push(frame)), true)
    assert.deepEqual(frames.map((frame) => (frame.kind === FRAME.bytes ? [frame.seq, Buffer.from(frame.bytes).toString()] : [frame.kind, frame.body])), [[7, 'profile'], [FRAME.diagnosis, '{}']])
  })
  test('of no kind, and bytes without a number, break the stream', () => {
    for (const frame of [Buffer.from([1, 0, 0, 0, 9]), Buffer.from([3, 0, 0, 0, FRAME.bytes, 0, 0])]) assert.equal(new FrameDecoder().push(frame, () => assert.fail('a frame')), false)
  })
})

test('bytes that nobody asked for end the worker; those that were asked for are no flood', async () => {
  const violations: string[] = []
  let got = 0
  const socket = new Duplex({ read: () => {}, write: (_, __, done) => done() })
  const handlers = { onMessage: () => {}, onAppMessage: () => {}, onReport: () => {}, onBytes: (_: number, bytes: Uint8Array) => void (got += bytes.length), onViolation: (why: string) => void violations.push(why) }
  const channel = new WorkerChannel(socket as unknown as Socket, handlers)
  channel.order({ type: 'fetch', seq: 1, bytes: 8 * PIECE_BYTES })
  for (let count = 0; count < 8; count += 1) socket.push(encodeBytes(1, new Uint8Array(PIECE_BYTES)))
  await until('all have come', () => got === 8 * PIECE_BYTES)
  assert.deepEqual([violations, socket.isPaused()], [[], false])
  socket.push(encodeBytes(1, new Uint8Array(1)))
  await until('it is told', () => violations.length === 1)
  assert.deepEqual([violations, got, socket.destroyed], [['bytes that nobody asked for'], 8 * PIECE_BYTES, true])
})
