import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { headersOf, isWholeHead, proxiedClient } from '../../src/listen/worker/first-bytes.ts'
import { randomFrom } from '../core/simulation/random.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const HEAD = 'POST /a HTTP/1.1\r\nHost: test\r\nX-Client:  one \r\nx-client:two\r\nCookie: a=1\r\nX-Client-Other: three\r\ncookie: b=2\r\n\r\n'
const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n'
const v2 = (verCmd: number, family: number, addresses: readonly number[]): Buffer => Buffer.concat([bytes(SIGNATURE), Buffer.from([verCmd, family, addresses.length >> 8, addresses.length & 255, ...addresses])])

/** The length at which it first holds; it must hold from there on. */
function from(text: Buffer, holds: (part: Buffer) => boolean): number {
  const lengths = Array.from({ length: text.length + 1 }, (_, length) => length)
  const first = lengths.find((length) => holds(text.subarray(0, length))) ?? Number.NaN
  for (const length of lengths) assert.equal(holds(text.subarray(0, length)), length >= first, `${length} of ${text.length}`)
  return first
}

describe('the head of a request', () => {
  for (const before of ['', '\r\n', '\r\n\r\n\r\n', 'PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n', 'PROXY UNKNOWN\r\n']) {
    test(`is whole with its last byte, behind ${JSON.stringify(before)}`, () => {
      assert.equal(from(bytes(`${before}${HEAD}body\r\n\r\n`), isWholeHead), before.length + HEAD.length)
    })
  }

  test('is not looked for in what cannot be one', () => {
    for (const text of ['\x16\x03\x01', '\0', ' GET', '\xff']) assert.ok(isWholeHead(bytes(text)), JSON.stringify(text))
    assert.equal(from(bytes('GET / HTTP/1.1\nhost: a\n\n'), isWholeHead), 'GET / HTTP/1.1\n'.length)
    for (const text of ['', '\r\n', 'P', 'PRO', 'GET / HTTP/1.1\r\n', '\r\n'.repeat(5000)]) assert.ok(!isWholeHead(bytes(text)), JSON.stringify(text))
  })

  test('has fields by their name in any case; several of one name are joined', () => {
    const headers = headersOf(bytes(HEAD))
    assert.deepEqual(['host', 'x-client', 'cookie', 'x-client-other', 'x', 'post /a http/1.1'].map(headers), ['test', 'one, two', 'a=1; b=2', 'three', undefined, undefined])
    assert.equal(headersOf(bytes(HEAD.slice(0, -1)))('host'), undefined, 'and none before it is whole')
    assert.equal(headersOf(bytes(`GET / HTTP/1.1\r\na: 1\r\n\r\nhost: body\r\n\r\n`))('host'), undefined)
    assert.equal(headersOf(bytes(`PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n${HEAD}`))('host'), 'test')
    assert.equal(headersOf(Buffer.concat([v2(0x21, 0x11, [1, 2, 3, 4, 5, 6, 7, 8, 0, 9, 0, 10]), bytes(HEAD)]))('host'), 'test')
  })
})

describe('a PROXY header', () => {
  const good: readonly (readonly [string, Buffer, string | null])[] = [
    ['1, IPv4', bytes('PROXY TCP4 203.0.113.1 192.0.2.1 50000 80\r\n'), '203.0.113.1'],
    ['1, IPv6', bytes('PROXY TCP6 2001:db8::1 2001:db8::2 50000 80\r\n'), '2001:db8::1'],
    ['1, unknown', bytes('PROXY UNKNOWN\r\n'), null],
    ['1, unknown with addresses', bytes('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), null],
    ['1, broken', bytes('PROXY TCP4\r\n'), null],
    ['2, IPv4', v2(0x21, 0x11, [203, 0, 113, 1, 192, 0, 2, 1, 1, 2, 3, 4]), '203.0.113.1'],
    ['2, IPv4 with more', v2(0x21, 0x11, [203, 0, 113, 1, 192, 0, 2, 1, 1, 2, 3, 4, 3, 0, 1, 0]), '203.0.113.1'],
    ['2, IPv6', v2(0x21, 0x21, [0x20, 1, 0xd, 0xb8, ...Array.from({ length: 32 }, () => 0)]), '2001:db8:0:0:0:0:0:0'],
    ['2, unix', v2(0x21, 0x31, Array.from({ length: 216 }, () => 65)), null],
    ['2, local', v2(0x20, 0, []), null],
    ['2, too short for its family', v2(0x21, 0x11, [1, 2, 3]), null],
    ['3', v2(0x31, 0x11, [203, 0, 113, 1, 192, 0, 2, 1, 1, 2, 3, 4]), null],
  ]
  for (const [version, header, client] of good) {
    test(`of version ${version}, in pieces and with something behind it`, () => {
      assert.equal(from(header, (part) => part.length > 0 && proxiedClient(part) !== undefined), header.length)
      assert.equal(proxiedClient(header), client)
      assert.equal(proxiedClient(Buffer.concat([header, bytes(HEAD)])), client)
    })
  }

  test('is none when it is something else, or does not end', () => {
    for (const text of ['GET / HTTP/1.1', 'PUT', 'PROXX', '\x16\x03\x01', '\r\n\r\nG', `PROXY ${'x'.repeat(200)}`]) assert.equal(proxiedClient(bytes(text)), null, text)
    for (const text of ['P', 'PROXY ', '\r\n', `PROXY TCP4 ${'x'.repeat(50)}`]) assert.equal(proxiedClient(bytes(text)), undefined, text)
  })
})

test('no bytes make it throw', () => {
  const random = randomFrom(7)
  const alphabet = ['\r', '\n', '\r\n', '\0', 'PROXY ', SIGNATURE, ':', 'x-client: a', ' ', 'GET / HTTP/1.1', '\xff', '!', '\x21\x11\0\x0c']
  for (let round = 0; round < 3000; round += 1) {
    const text = bytes(Array.from({ length: random.between(0, 8) }, () => random.pick(alphabet)).join(''))
    const client = proxiedClient(text)
    assert.ok(client === null || client === undefined || typeof client === 'string')
    assert.equal(typeof isWholeHead(text), 'boolean')
    assert.ok(['string', 'undefined'].includes(typeof headersOf(text)('x-client')))
  }
})
