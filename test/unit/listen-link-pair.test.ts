/** The link over real sockets, both ends in this process. */
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { describe, test, type TestContext } from 'node:test'
import { makeLinkPair } from '../../src/listen/primary/link-pair.ts'
import { bindHandle, type RawHandle } from '../../src/listen/primary/raw-handle.ts'
import { Link, PASSES_HANDLES, closeHandle, type PipeClass } from '../../src/protocol/link.ts'

interface Ends {
  readonly near: Link
  readonly far: Link
  readonly lines: { readonly text: string; readonly hasHandle: boolean }[]
  readonly ended: Promise<void>
}

async function ends(t: TestContext): Promise<Ends> {
  const pair = await makeLinkPair()
  assert.ok(pair !== undefined)
  const lines: Ends['lines'] = []
  const over = new EventEmitter()
  const ended = once(over, 'end').then(() => {})
  // A link keeps no process alive.
  const awake = setInterval(() => {}, 1000)
  const near = new Link(pair.near, {
    onLine(text, handle) {
      lines.push({ text, hasHandle: handle !== undefined })
      closeHandle(handle)
    },
    onEnd: () => over.emit('end'),
    onBroken: assert.fail,
  })
  // As in a worker: what comes cannot pass handles until it is opened anew.
  const pipe = new (pair.far as unknown as { readonly constructor: PipeClass }).constructor(PASSES_HANDLES)
  assert.equal(pipe.open(pair.far.fd), 0)
  const far = new Link(pipe, { onLine: assert.fail, onEnd: () => {}, onBroken: assert.fail })
  t.after(() => {
    clearInterval(awake)
    near.close()
    far.close()
  })
  return { near, far, lines, ended }
}

function socket(t: TestContext): RawHandle {
  const handle = bindHandle('127.0.0.1', 0, 4, 0)
  assert.ok(typeof handle !== 'number')
  t.after(() => handle.close())
  return handle
}

describe('the ends of a link', () => {
  test('pass many handles at once, of lines longer than a read, too', async (t) => {
    const { far, lines, ended } = await ends(t)
    const texts = [10, 40_000, 20, 60_000, 100_000, 70_000, 30, 50_000].map((length, index) => String(index).repeat(length))
    let written = 0
    for (const text of texts) assert.ok(far.send({ text }, socket(t), () => (written += 1) === texts.length && far.close()))
    await ended
    assert.deepEqual(lines, texts.map((text) => ({ text: JSON.stringify({ text }), hasHandle: true })))
  })

  test('what a process has sent before its end arrives, also behind handles', async (t) => {
    const { near, far, lines, ended } = await ends(t)
    near.pause()
    for (let nth = 0; nth < 5; nth += 1) {
      far.send({ offer: nth }, socket(t))
      far.send({ took: nth })
    }
    far.close()
    near.resume()
    await ended
    assert.deepEqual(lines, [0, 1, 2, 3, 4].flatMap((nth) => [{ text: `{"offer":${nth}}`, hasHandle: true }, { text: `{"took":${nth}}`, hasHandle: false }]))
  })
})
