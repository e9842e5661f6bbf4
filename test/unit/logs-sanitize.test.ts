import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sanitize, sanitizeBytes } from '../../src/logs/sanitize.ts'
import { randomFrom } from './logs-random.ts'

const ESC = '\u001B'
const COLOUR = /\u001B\[[0-9;:]*m/gu
const FORBIDDEN = /[\u0000-\u0008\u000A-\u001F\u007F-\u009F]/u

describe('sanitize', () => {
  const table: readonly (readonly [string, string, string])[] = [
    ['leaves plain text', 'GET / 200', 'GET / 200'],
    ['leaves a tab', 'a\tb', 'a\tb'],
    ['leaves other scripts', 'grün 日本 🚀 שלום', 'grün 日本 🚀 שלום'],
    ['shows clearing of the screen', `${ESC}[2Jx`, '\\x1b[2Jx'],
    ['shows a window title (OSC)', `${ESC}]0;owned\u0007`, '\\x1b]0;owned\\x07'],
    ['shows a device control string', `${ESC}P$q"p${ESC}\\`, '\\x1bP$q"p\\x1b\\'],
    ['shows a reset of the terminal', `${ESC}c`, '\\x1bc'],
    ['shows 8-bit CSI', '\u009B2J', '\\x9b2J'],
    ['shows CR, backspace and DEL', 'a\rb\bc\u007F', 'a\\x0db\\x08c\\x7f'],
    ['shows a newline, so that no text forges a line', 'a\nb', 'a\\x0ab'],
    ['shows what turns the direction of writing', 'a\u202Eb', 'a\\u202eb'],
    ['shows CSI with a private marker although it ends in m', `${ESC}[>4;2m`, '\\x1b[>4;2m'],
    ['shows a colour that never ends', `${ESC}[31`, '\\x1b[31'],
    ['shows a colour of absurd length', `${ESC}[${'1'.repeat(65)}m`, `\\x1b[${'1'.repeat(65)}m`],
  ]
  for (const [what, text, expected] of table) {
    it(what, () => {
      assert.equal(sanitize(text, true), expected)
      assert.equal(sanitize(text, false), expected)
    })
  }

  it('passes colours when there are colours, and removes them otherwise', () => {
    const text = `${ESC}[1;38:2::1:2:3mred${ESC}[0m`
    assert.equal(sanitize(text, true), text)
    assert.equal(sanitize(text, false), 'red')
  })

  it('closes a colour that a line leaves on', () => {
    assert.equal(sanitize(`${ESC}[31mred`, true), `${ESC}[31mred${ESC}[0m`)
    assert.equal(sanitize(`${ESC}[31mred${ESC}[m`, true), `${ESC}[31mred${ESC}[m`)
    assert.equal(sanitize(`${ESC}[0m${ESC}[0;31mred`, true), `${ESC}[0m${ESC}[0;31mred${ESC}[0m`)
  })

  it('replaces what is no UTF-8', () => {
    assert.equal(sanitizeBytes(Buffer.from([0x61, 0xff, 0x62, 0xc3]), true), 'a\uFFFDb\uFFFD')
    assert.equal(sanitizeBytes(Buffer.from([0x9b, 0x32, 0x4a]), true), '\uFFFD2J', 'a raw C1 byte is no UTF-8')
  })

  it('lets no harmful byte through, whatever comes, and changes nothing when applied again', () => {
    const { random, int, note } = randomFrom('sanitize')
    const bits = [ESC, `${ESC}[`, '31', ';', 'm', 'H', ']0;', '\u0007', 'P', '\u009B', '\u0000', '\r', 'text', 'ü', `${ESC}[0m`, '\u202E']
    for (let round = 0; round < 20_000; round++) {
      const bytes = Buffer.concat(
        Array.from({ length: int(12) }, () => (random() < 0.2 ? Buffer.from([int(256)]) : Buffer.from(bits[int(bits.length)] ?? ''))),
      )
      const coloured = sanitizeBytes(bytes, true)
      assert.doesNotMatch(coloured.replace(COLOUR, ''), FORBIDDEN, note)
      assert.doesNotMatch(sanitizeBytes(bytes, false), FORBIDDEN, note)
      assert.equal(sanitize(coloured, true), coloured, note)
      const colours = coloured.match(COLOUR) ?? []
      assert.match(colours.at(-1) ?? `${ESC}[0m`, /\[0*m/u, note)
    }
  })

  it('takes linear time for hostile input', () => {
    const units = [`${ESC}[`, ESC, `${ESC}[1;`, `${ESC}]0;`, `${ESC}[${'1'.repeat(64)}`, '1;', `${ESC}[31m`]
    for (const unit of units) {
      const text = (unit === '1;' ? `${ESC}[` : '') + unit.repeat(2 ** 20 / unit.length)
      sanitize(text, true)
      const before = process.cpuUsage()
      sanitize(text, true)
      // Of this process, whatever others do. 1 MiB takes 40 ms; quadratic time would be minutes.
      assert.ok(process.cpuUsage(before).user < 1_000_000, JSON.stringify(unit))
    }
  })
})
