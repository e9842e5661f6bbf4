import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LineSplitter, MAX_LINE_BYTES, withoutReturn } from '../../src/logs/line-splitter.ts'
import { randomFrom } from './logs-random.ts'

/** All pieces of a stream that arrives in these chunks, as `end:text`. */
function split(chunks: readonly (Buffer | string)[], maxBytes?: number): string[] {
  const pieces: string[] = []
  const splitter = new LineSplitter((bytes, end) => pieces.push(`${end}:${bytes.toString('latin1')}`), maxBytes)
  for (const chunk of chunks) splitter.push(Buffer.from(chunk))
  splitter.flush()
  return pieces
}

describe('a line splitter', () => {
  const table: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['gives nothing for nothing', [], []],
    ['gives a whole line', ['a\n'], ['newline:a']],
    ['gives empty lines', ['\n\n'], ['newline:', 'newline:']],
    ['joins a line from many chunks', ['a', 'b', 'c\nd\n'], ['newline:abc', 'newline:d']],
    ['takes a newline that comes alone', ['abc', '\n'], ['newline:abc']],
    ['gives the unfinished last line when the stream ends', ['a\nb'], ['newline:a', 'eof:b']],
    ['leaves CR and NUL alone', ['a\r\n\0\n'], ['newline:a\r', 'newline:\0']],
    ['does not cut a line of exactly the limit', ['12345678\n'], ['newline:12345678']],
    ['cuts a longer line and continues it', ['123456789\n'], ['cut:12345678', 'newline:9']],
    ['cuts as often as needed', ['1234567812345678', '12\n'], ['cut:12345678', 'cut:12345678', 'newline:12']],
    ['never cuts before nothing', ['12345678', '12345678', '\n'], ['cut:12345678', 'newline:12345678']],
  ]
  for (const [what, chunks, expected] of table) {
    it(what, () => assert.deepEqual(split(chunks, 8), expected))
  }

  it('keeps a character whole that is split over chunks', () => {
    const bytes = Buffer.from('grün 🚀\n')
    for (let at = 0; at <= bytes.length; at++) {
      const pieces = split([bytes.subarray(0, at), bytes.subarray(at)])
      assert.deepEqual(pieces, [`newline:${bytes.subarray(0, -1).toString('latin1')}`])
    }
  })

  it('cuts between characters, and anywhere in what is no UTF-8', () => {
    const text = 'a🚀ü€'.repeat(50)
    const pieces: Buffer[] = []
    const splitter = new LineSplitter((bytes) => pieces.push(bytes), 16)
    splitter.push(Buffer.from(text))
    splitter.flush()
    assert.equal(pieces.map((piece) => piece.toString('utf8')).join(''), text)
    assert.deepEqual(split([Buffer.alloc(20, 0x80)], 16), [`cut:${'\x80'.repeat(16)}`, `eof:${'\x80'.repeat(4)}`])
  })

  it('gives the same pieces for any split of the same bytes', () => {
    const { random, int, note } = randomFrom('splitter')
    for (let round = 0; round < 300; round++) {
      const bytes = Buffer.from(Array.from({ length: int(400) }, () => (random() < 0.08 ? 10 : int(256))))
      const chunks: Buffer[] = []
      for (let at = 0; at < bytes.length; ) {
        const to = at + int(random() < 0.5 ? 4 : 90)
        chunks.push(bytes.subarray(at, to))
        at = to
      }
      const whole = split([bytes], 32)
      assert.deepEqual(split(chunks, 32), whole, note)
      const again = whole.map((piece) => piece.slice(piece.indexOf(':') + 1) + (piece.startsWith('newline') ? '\n' : ''))
      assert.equal(again.join(''), bytes.toString('latin1'), note)
    }
  })

  it('needs no more than linear time for 100 MB without a newline, in chunks of any size', () => {
    let bytesOut = 0
    let largest = 0
    const splitter = new LineSplitter((bytes) => {
      bytesOut += bytes.length
      largest = Math.max(largest, bytes.length)
    })
    const chunk = Buffer.alloc(50_001, 'x')
    const startedAt = performance.now()
    for (let sent = 0; sent < 2000; sent++) splitter.push(chunk)
    for (let sent = 0; sent < 200_000; sent++) splitter.push(chunk.subarray(0, 1))
    splitter.flush()
    assert.equal(bytesOut, 2000 * 50_001 + 200_000)
    assert.equal(largest, MAX_LINE_BYTES)
    // It takes 0.1 s; a quadratic splitter takes hours.
    assert.ok(performance.now() - startedAt < 5000)
  })

  it('drops one CR before the newline and no other', () => {
    assert.equal(withoutReturn(Buffer.from('a\r')).toString(), 'a')
    assert.equal(withoutReturn(Buffer.from('a\r\r')).toString(), 'a\r')
    assert.equal(withoutReturn(Buffer.from('\ra')).toString(), '\ra')
    assert.equal(withoutReturn(Buffer.from('')).toString(), '')
  })
})
