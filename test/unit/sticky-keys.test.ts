import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createKeyReader, cookieOf, type Headers } from '../../src/listen/worker/request-key.ts'
import { makeStickyCookie, readStickyCookie } from '../../src/listen/worker/sticky-cookie.ts'
import { createTrust } from '../../src/listen/worker/trust.ts'
import { clientOf, holderOf, ownerOf, passSocketName, pinOf, ranking, type StickyRules } from '../../src/protocol/sticky.ts'
import { randomFrom } from '../core/simulation/random.ts'

const SECRET = '0123456789abcdef'
const pins = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => pinOf(SECRET, `client ${index}`))
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index)

describe('the owner of a client', () => {
  test('is the first of the ranking, in whatever order the slots are given', () => {
    const random = randomFrom(1)
    for (const pin of [0, 1, 2 ** 32 - 1, ...pins(300)]) {
      const slots = upTo(random.between(1, 40)).filter((slot) => slot === 0 || random.between(0, 3) > 0)
      const order = ranking(pin, slots)
      assert.deepEqual([...order].sort((a, b) => a - b), slots)
      assert.equal(ownerOf(pin, slots), order[0])
      assert.equal(ownerOf(pin, slots.toReversed()), order[0])
      assert.deepEqual(ranking(pin, slots.toReversed()), order)
    }
    assert.equal(ownerOf(1, []), undefined)
  })

  test('changes only for the clients of a slot that goes, and to a slot that comes', () => {
    for (const pin of pins(2000)) {
      const before = ownerOf(pin, upTo(8))
      const without = ownerOf(pin, upTo(8).filter((slot) => slot !== 3))
      assert.ok(before === 3 ? without === ranking(pin, upTo(8))[1] : without === before)
      const withMore = ownerOf(pin, upTo(9))
      assert.ok(withMore === before || withMore === 8)
    }
  })

  for (const size of [2, 3, 4, 8, 32, 128]) {
    test(`is each of ${size} slots equally often, and so is the second of the ranking`, () => {
      const each = size > 8 ? 100 : 1000
      const first = new Map<number, number>()
      const second = new Map<number, number>()
      for (const pin of pins(size * each)) {
        const one = ownerOf(pin, upTo(size)) ?? -1
        first.set(one, (first.get(one) ?? 0) + 1)
        const two = one === 0 ? (ranking(pin, upTo(size))[1] ?? -1) : -1
        second.set(two, (second.get(two) ?? 0) + 1)
      }
      // Five standard deviations.
      for (const slot of upTo(size)) assert.ok(Math.abs((first.get(slot) ?? 0) - each) < 5 * Math.sqrt(each), `slot ${slot}: ${first.get(slot)}`)
      const share = (first.get(0) ?? 0) / (size - 1)
      for (const slot of upTo(size).slice(1)) assert.ok(Math.abs((second.get(slot) ?? 0) - share) < 5 * Math.sqrt(share) + 5, `then slot ${slot}: ${second.get(slot)}`)
    })
  }

  test('has a process, where the slot has one', () => {
    const seats = [{ slot: 0, pid: 10 }, { slot: 5, pid: 15 }]
    for (const pin of pins(50)) assert.equal(holderOf(pin, seats)?.slot, ownerOf(pin, [0, 5]))
    assert.equal(holderOf(1, []), undefined)
  })

  test('cannot be computed without the secret', () => {
    const same = pins(1000).filter((pin, index) => ownerOf(pin, upTo(4)) === ownerOf(pinOf('another', `client ${index}`), upTo(4))).length
    assert.ok(same > 180 && same < 320, String(same))
    assert.notEqual(passSocketName(1, SECRET, 'a'), passSocketName(1, 'another', 'a'))
  })
})

describe('the client of an address', () => {
  const same: readonly (readonly [string, string])[] = [
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:10.0.0.1', '10.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:db8:1::', '2001:db8:1:0'],
    ['::1', '0:0:0:0'],
    ['::', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['64:ff9b::203.0.113.1', '64:ff9b:0:0'],
  ]
  for (const [address, expected] of same) test(`${address} is ${expected}`, () => assert.equal(clientOf(address), expected))
})

describe('a trusted proxy', () => {
  const isTrusted = createTrust(['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '2001:db8::5', '0.0.0.0/32'])
  for (const address of ['10.0.0.1', '10.255.255.255', '::ffff:10.1.2.3', '192.0.2.7', 'fd12::1', '2001:db8:0:0:0:0:0:5']) test(`${address} is one`, () => assert.ok(isTrusted(address)))
  for (const address of ['11.0.0.1', '192.0.2.8', '::ffff:11.0.0.1', 'fe80::1%eth0', '2001:db8::6', '', 'unknown', '10.0.0', '10.0.0.1:80', undefined]) test(`${String(address)} is none`, () => assert.ok(!isTrusted(address)))
  test('is the other end of a unix socket only when it is said', () => {
    assert.ok(createTrust(['unix'])(undefined))
    assert.ok(!createTrust(['unix'])('10.0.0.1'))
    assert.ok(!createTrust([])(undefined))
  })
})

describe('a sticky cookie', () => {
  test('carries a key of the slot that makes it, or of any', () => {
    for (const slots of [[0], [0, 1], upTo(64), [3, 9, 700]]) {
      for (const slot of slots) {
        const pin = readStickyCookie(SECRET, makeStickyCookie(SECRET, slot, slots))
        assert.ok(pin !== undefined && ownerOf(pin, slots) === slot)
      }
    }
    const owners = new Set(Array.from({ length: 100 }, () => ownerOf(readStickyCookie(SECRET, makeStickyCookie(SECRET, undefined, [0, 1, 2])) ?? -1, [0, 1, 2])))
    assert.deepEqual(owners, new Set([0, 1, 2]))
  })

  test('is nothing when it is forged, cut, longer, or from another run', () => {
    const good = makeStickyCookie(SECRET, 1, [0, 1])
    const other = makeStickyCookie(SECRET, 0, [0, 1])
    const flipped = Array.from({ length: 16 }, (_, at) => `${good.slice(0, at)}${good[at] === 'A' ? 'B' : 'A'}${good.slice(at + 1)}`)
    const bad = [undefined, '', '.', good.slice(1), good.slice(0, -1), `${good}A`, `${good} `, `"${good}"`, good.replace('.', ''), `${good.slice(0, 17)}${other.slice(17)}`, 'x'.repeat(1e6), ...flipped]
    for (const value of bad) assert.equal(readStickyCookie(SECRET, value), undefined, String(value).slice(0, 60))
    assert.equal(readStickyCookie('another', good), undefined)
  })

  test('is found among others by its whole name, the first of several', () => {
    assert.equal(cookieOf('a=1; everycore=2;everycore=3', 'everycore'), '2')
    assert.equal(cookieOf(' xeverycore=1 ;everycore = a=b ; c', 'everycore'), 'a=b')
    assert.equal(cookieOf('everycore', 'everycore'), undefined)
    assert.equal(cookieOf('', 'everycore'), undefined)
    assert.equal(cookieOf('Everycore=1', 'everycore'), undefined)
  })
})

const headers = (fields: Readonly<Record<string, string>>): Headers => (name) => fields[name]

describe('whose a request is', () => {
  const rules: StickyRules = { by: 'ip', name: null, secret: SECRET, trusted: ['10.0.0.0/8', 'unix'], socketDir: null }
  const forwarded = (value: string, peer: string | undefined = '10.0.0.1'): number | undefined => createKeyReader(rules).ofRequest(headers({ 'x-forwarded-for': value }), () => peer)
  const of = (address: string): number => pinOf(SECRET, address)

  const cases: readonly (readonly [string, string])[] = [
    ['203.0.113.1', '203.0.113.1'],
    ['203.0.113.1, 10.0.0.2', '203.0.113.1'],
    ['198.51.100.1, 203.0.113.1 ,10.0.0.2,10.0.0.3', '203.0.113.1'],
    ['203.0.113.1:4711', '203.0.113.1'],
    ['[2001:db8::1]:4711', '2001:db8:0:0'],
    ['[2001:db8::1]', '2001:db8:0:0'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['10.0.0.5, 10.0.0.2', '10.0.0.5'],
    [',, 203.0.113.1 ,', '203.0.113.1'],
    ['fe80::1%25eth0, 10.0.0.2', 'fe80:0:0:0'],
    ['unknown, 10.0.0.2', 'unknown'],
  ]
  for (const [value, expected] of cases) test(`behind a trusted proxy, X-Forwarded-For: ${value}`, () => assert.equal(forwarded(value), of(expected)))

  test('without a trusted proxy nothing but the connection tells', () => {
    assert.equal(forwarded('203.0.113.1', '203.0.113.9'), undefined)
    assert.equal(forwarded(''), undefined)
    assert.equal(forwarded(' , '), undefined)
    const keys = createKeyReader(rules)
    assert.equal(keys.ofRequest(headers({}), () => '10.0.0.1'), undefined)
    assert.equal(keys.ofRequest(headers({ 'x-forwarded-for': '203.0.113.1' }), () => undefined), of('203.0.113.1'))
    assert.equal(keys.ofPeer(undefined), undefined)
    assert.equal(keys.ofPeer('::ffff:203.0.113.1'), of('203.0.113.1'))
  })

  test('by header: its value, unless it is empty', () => {
    const keys = createKeyReader({ ...rules, by: 'header', name: 'x-client' })
    assert.equal(keys.ofRequest(headers({ 'x-client': 'a' }), () => '10.0.0.1'), of('a'))
    assert.equal(keys.ofRequest(headers({ 'x-client': '' }), () => '10.0.0.1'), undefined)
    assert.equal(keys.ofRequest(headers({ 'x-forwarded-for': 'a' }), () => '10.0.0.1'), undefined)
  })

  test("by cookie: ours before the app's", () => {
    const value = makeStickyCookie(SECRET, 0, [0])
    const pin = readStickyCookie(SECRET, value)
    const plain = createKeyReader({ ...rules, by: 'cookie', name: null })
    const named = createKeyReader({ ...rules, by: 'cookie', name: 'sid' })
    const both = headers({ cookie: `sid=abc; everycore=${value}` })
    assert.equal(plain.ofRequest(both, () => undefined), pin)
    assert.equal(named.ofRequest(both, () => undefined), pin)
    assert.equal(named.ofRequest(headers({ cookie: 'sid=abc; everycore=forged' }), () => undefined), of('abc'))
    assert.equal(plain.ofRequest(headers({ cookie: 'sid=abc' }), () => undefined), undefined)
    assert.equal(named.ofRequest(headers({ cookie: 'sid=' }), () => undefined), undefined)
    assert.equal(named.ofRequest(headers({}), () => undefined), undefined)
  })
})
