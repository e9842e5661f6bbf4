import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { describe, test } from 'node:test'
import { Link, LINK_LINE_BYTES, type LinkPipe } from '../../src/protocol/link.ts'
import { Window } from '../../src/protocol/window.ts'

interface Received {
  readonly text: string
  readonly handle: unknown
}

class Handle {
  closed = 0
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
  close(): void {
    this.closed += 1
  }
}

/** A pipe without a kernel: what comes is given by the test. */
function setUp() {
  const lines: Received[] = []
  const told: string[] = []
  let closed = 0
  let read = 0
  const pipe: LinkPipe = {
    writeQueueSize: 0,
    get bytesRead() {
      return read
    },
    onread: () => {},
    readStart: () => 0,
    readStop: () => 0,
    writeUtf8String: () => 0,
    open: () => 0,
    ref: () => {},
    unref: () => {},
    close: () => void (closed += 1),
  }
  const link = new Link(pipe, {
    onLine: (text, handle) => lines.push({ text, handle }),
    onEnd: () => told.push('end'),
    onBroken: (why) => told.push(why),
  })
  const come = (text: string | Buffer, handle?: Handle): void => {
    const bytes = Buffer.from(text)
    pipe.pendingHandle = handle
    read += bytes.length
    // As Node 26 may give it: longer than what was read.
    const buffer = new ArrayBuffer(bytes.length + 9)
    Buffer.from(buffer).fill('\n').set(bytes)
    pipe.onread(buffer)
  }
  return { link, pipe, lines, told, come, closed: () => closed, end: () => pipe.onread() }
}

describe('a link', () => {
  test('gives each line what came with it', () => {
    const { lines, come } = setUp()
    const [one, two] = [new Handle('one'), new Handle('two')]
    come('a\n', one)
    come('b\n')
    come('c\n', two)
    assert.deepEqual(lines, [{ text: 'a', handle: one }, { text: 'b', handle: undefined }, { text: 'c', handle: two }])
  })

  test('a handle belongs to the last line that begins in its bytes, however that ends', () => {
    const { lines, come } = setUp()
    const [one, two] = [new Handle('one'), new Handle('two')]
    come('without\nwith', one)
    come(' the first\n')
    come('without\nwithout\nwith the ', two)
    come('second')
    come('\nlast\n')
    assert.deepEqual(lines.map(({ text, handle }) => [text, (handle as Handle | undefined)?.name]), [
      ['without', undefined],
      ['with the first', 'one'],
      ['without', undefined],
      ['without', undefined],
      ['with the second', 'two'],
      ['last', undefined],
    ])
  })

  test('a handle that got lost is missed at its own line alone', () => {
    const { lines, come } = setUp()
    come('first\n', new Handle('first'))
    come('lost\n')
    come('third\n', new Handle('third'))
    assert.deepEqual(lines.map(({ handle }) => (handle as Handle | undefined)?.name), ['first', undefined, 'third'])
  })

  test('lines of any length are whole in whatever pieces they come, characters of several bytes included', () => {
    const { lines, come } = setUp()
    const texts = Array.from({ length: 200 }, (_, index) => `${index} ${'ä€😀x'.repeat(randomInt(40))}`)
    const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''))
    for (let at = 0; at < bytes.length; ) {
      const size = randomInt(1, 60)
      come(bytes.subarray(at, at + size))
      at += size
    }
    assert.deepEqual(lines.map(({ text }) => text), texts)
  })

  test('a handle in the middle of a line, and a line without end, are no honest peer: what came is closed', () => {
    const first = setUp()
    first.come('begun')
    const stray = new Handle('stray')
    first.come('and on', stray)
    assert.deepEqual(first.told, ['a handle in the middle of a line'])
    assert.equal(stray.closed, 1)

    const second = setUp()
    const held = new Handle('held')
    second.come('x', held)
    for (let sent = 0; sent <= LINK_LINE_BYTES; sent += 8192) second.come('x'.repeat(8192))
    assert.equal(second.told[0], 'a line of more than 128 kB on the link')
    assert.equal(held.closed, 1)
  })

  test('the end is told once, closes the pipe and what belonged to an unfinished line', () => {
    const { told, come, end, closed, link } = setUp()
    const handle = new Handle('unfinished')
    come('unfinished', handle)
    end()
    end()
    link.close()
    assert.deepEqual(told, ['end'])
    assert.equal(closed(), 1)
    assert.equal(handle.closed, 1)
    assert.equal(link.send({}), false)
  })

  test('what lies behind an end of file is asked for: there may be more after a handle', () => {
    const { lines, told, come, end } = setUp()
    come('first\n', new Handle('first'))
    end()
    assert.deepEqual(told, [])
    come('second\n')
    end()
    end()
    assert.deepEqual(lines.map(({ text }) => text), ['first', 'second'])
    assert.deepEqual(told, ['end'])
  })

  test('closed by its owner it tells nothing', () => {
    const { told, link, closed } = setUp()
    link.close()
    assert.deepEqual(told, [])
    assert.equal(closed(), 1)
  })
})

describe('a window', () => {
  test('is small at first, grows with each answer up to 16, and is small again after 50 ms of silence', () => {
    const window = new Window(2)
    assert.equal(window.size(0), 2)
    for (let now = 0; now < 100; now += 10) window.answered(now)
    assert.equal(window.size(100), 12)
    for (let now = 100; now < 300; now += 10) window.answered(now)
    assert.equal(window.size(340), 16)
    assert.equal(window.size(341), 2)
    window.answered(400)
    assert.equal(window.size(400), 3)
  })
})
