// The frames show local time.
process.env['TZ'] = 'UTC'
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'string-width'
import { chart } from '../../src/top/chart.ts'
import { eventText } from '../../src/top/event-text.ts'
import { countText, millisText } from '../../src/top/figures.ts'
import { press } from '../../src/top/keys.ts'
import { EMPTY, update, type Input, type Model } from '../../src/top/model.ts'
import { lineOf, pad } from '../../src/top/text.ts'
import { view, type Frame } from '../../src/top/view.ts'
import { AT, entry, report, worker } from './top-fixtures.ts'

const NOW = Date.parse(AT)
const frame = (given: Partial<Frame> = {}): Frame => ({ columns: 79, rows: 23, color: false, unicode: true, nowMs: NOW, patienceMs: 30_000, ...given })
const after = (...inputs: readonly Input[]): Model => inputs.reduce(update, EMPTY)
const reported = (given: Parameters<typeof report>[0] = {}, nowMs = 0): Input => ({ type: 'reported', report: report(given), nowMs })
const happened = (type: string, fields: object = {}): Input => ({ type: 'happened', event: { type, at: AT, ...fields } })

/** A day of an app: load that comes and goes, a crash, a reload under way. */
const DAY = after(
  ...Array.from({ length: 70 }, (_, second) => {
    const load = 1 + Math.sin(second / 6)
    return reported({ workers: [0, 1, 2, 3].map((slot) => worker({ slot, pid: 4711 + slot, requestsPerSecond: Math.round(400 * load + 40 * slot), loopUtilization: 0.3 * load, p99Ms: 4 + 9 * load })) }, second * 1000)
  }),
  happened('worker:exited', { slot: 2, kind: 'crashed', exit: { code: 1, signal: null }, uptimeMs: 3_600_000, respawnInMs: 0 }),
  happened('worker:spawned', { slot: 2, pid: 4800 }),
  happened('worker:ready', { slot: 2, bootMs: 213 }),
  happened('reload:started', { from: 3, to: 4 }),
  reported(
    {
      verdict: ['worker 2 crashed (exit code 1) 2m ago', 'reloading to generation 4: 1 of 4 slots are done', 'all 4 workers are ready'],
      reload: { state: 'rolling', from: 3, to: 4, slots: [{ slot: 0, step: 'done', inFlight: null }, { slot: 1, step: 'draining', inFlight: 7 }, { slot: 2, step: 'old', inFlight: null }, { slot: 3, step: 'old', inFlight: null }] },
      workers: [
        worker({ slot: 0, generation: 4, uptimeMs: 2000 }),
        worker({ slot: 1, state: 'draining', reason: 'reload', inFlight: 7 }),
        worker({ slot: 1, pid: 4801, generation: 4, uptimeMs: 400, cpu: null, rssBytes: null, requestsPerSecond: null, p50Ms: null, p99Ms: null }),
        worker({ slot: 2, pid: 4800, restarts: 1, lastExit: { reason: 'crash', how: 'exit code 1', at: AT } }),
        worker({ slot: 3, pid: 4714 }),
      ],
    },
    71_000,
  ),
  {
    type: 'logged',
    entries: [
      entry({ text: 'GET /cart 200 3 ms' }),
      entry({ slot: 2, stream: 'stderr', text: 'Error: connect ECONNREFUSED 127.0.0.1:5432' }),
      entry({ slot: 1, text: '{"level":40,"time":1769860800000,"msg":"slow query","ms":812}' }),
      entry({ slot: 3, text: 'Bestellung 注文 für Zoë 🛒 angenommen' }),
      entry({ slot: null, stream: 'everycore', level: 'error', text: 'worker 2 crashed (exit code 1 after 1h); its replacement starts now' }),
    ],
  },
)

const pressed = (model: Model, ...keys: readonly string[]): Model => keys.reduce((now, key) => press(now, { name: key === '\r' ? 'return' : key, sequence: key }).model, model)

const FRAMES: Readonly<Record<string, readonly string[]>> = {
  '80x24': view(DAY, frame()),
  '80x24-colour': view(DAY, frame({ color: true })).map((line) => line.replaceAll('\u001B', '^[')),
  '80x24-ascii': view(DAY, frame({ unicode: false })),
  '200x50': view(DAY, frame({ columns: 199, rows: 49 })),
  '80x24-details': view(pressed(DAY, 'j', 'j', '\r'), frame()),
  '80x24-help': view(pressed(DAY, '?'), frame()),
}

describe('the view of top', () => {
  for (const [name, lines] of Object.entries(FRAMES)) {
    it(`looks as in test/unit/golden/top-${name}.txt (UPDATE_GOLDEN=1 writes it)`, () => {
      const file = new URL(`golden/top-${name}.txt`, import.meta.url)
      const text = `${lines.join('\n')}\n`
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text)
      assert.equal(text, readFileSync(file, 'utf8'))
    })
  }
  it('fits into every size, from one line of one column on', () => {
    const many = update(DAY, reported({ name: '名'.repeat(200), workers: Array.from({ length: 64 }, (_, slot) => worker({ slot })) }))
    for (const model of [EMPTY, DAY, many, pressed(many, '\r'), pressed(many, 'l'), pressed(many, '/', '字'), pressed(many, '?'), pressed(many, 'r'), update(DAY, reported({ workers: [] }))]) {
      for (const columns of [1, 5, 40, 79, 120, 199]) {
        for (const rows of [1, 2, 4, 9, 23, 49]) {
          const lines = view(model, frame({ columns, rows, color: columns % 2 === 0 }))
          assert.equal(lines.length, rows, `${columns}x${rows}`)
          for (const line of lines) assert.ok(stringWidth(line) <= columns, `${columns}x${rows}: ${line}`)
        }
      }
    }
  })
  it('shows nothing where there is nothing', () => assert.deepEqual(view(DAY, frame({ rows: 0 })), []))
  it('scrolls to the worker that is selected', () => {
    const many = after(reported({ workers: Array.from({ length: 64 }, (_, slot) => worker({ slot, pid: 9000 + slot })) }))
    assert.match(view(many, frame()).join('\n'), /> {5}0 {4}9000.*1 to 10 of 64 workers/s)
    const far = pressed(many, ...Array.from({ length: 40 }, () => 'j'))
    assert.match(view(far, frame()).join('\n'), /> {4}40 {4}9040/)
    const last = pressed(many, ...Array.from({ length: 99 }, () => 'j'))
    assert.match(view(last, frame()).join('\n'), /> {4}63 {4}9063.*55 to 64 of 64 workers/s)
  })
  it('says that there are no workers, and dashes for what is not known', () => {
    assert.match(view(after(reported({ workers: [] })), frame()).join('\n'), /no workers/)
    const unknown = worker({ cpu: null, rssBytes: null, loopUtilization: null, loopLagP99Ms: null, requestsPerSecond: null, p50Ms: null, p99Ms: null, inFlight: null, connections: null, pid: null, uptimeMs: null })
    const line = view(after(reported({ workers: [unknown] })), frame()).find((each) => each.startsWith('>')) ?? ''
    assert.deepEqual(line.split(/\s+/), ['>', '0', '-', 'ready', '-', '0', '-', '-', '-', '-', '-', '-', '-'])
  })
  it('says that nobody answers, and for how long it goes on trying', () => {
    const lost = update(DAY, { type: 'lost', why: 'nobody listens', nowMs: NOW - 10_000 })
    assert.match(view(lost, frame())[0] ?? '', /^shop {2}NO ANSWER for 10s: nobody listens\. Trying for another 20s/)
  })
  it('asks before a reload, and tells what became of it for a while', () => {
    assert.match(view(pressed(DAY, 'r'), frame()).at(-1) ?? '', /^Reload shop\?.*y\/n$/)
    const noted = update(DAY, { type: 'noted', text: 'scaled', tone: 'good', untilMs: NOW + 1 })
    assert.equal(view(noted, frame()).at(-1), 'scaled')
    assert.match(view(noted, frame({ nowMs: NOW + 1 })).at(-1) ?? '', /q quit/)
  })
})

describe('what comes from apps', () => {
  const evil = '\u001B]0;owned\u0007\u001B[2J\u001B[31mred\u009B5n\u202Etxt\r\n\u0000\tend'
  const everywhere = after(
    reported({ name: evil, script: evil, verdict: [evil], addresses: [{ kind: 'http', address: evil, port: null }], workers: [worker({ lastExit: { reason: 'crash', how: evil, at: evil } })] }),
    happened('worker:exited', { kind: evil, exit: { signal: evil } }),
    happened(evil, { why: evil }),
    { type: 'logged', entries: [entry({ text: evil }), entry({ text: JSON.stringify({ level: 30, msg: evil, time: 1, [evil]: evil }) })] },
    { type: 'noted', text: evil, tone: 'bad', untilMs: NOW + 1 },
    { type: 'lost', why: evil, nowMs: NOW },
  )
  for (const keys of [[], ['l'], ['\r'], ['?'], ['r']]) {
    it(`reaches the terminal as plain text only (${JSON.stringify(keys)})`, () => {
      for (const unicode of [true, false]) {
        const drawn = view(pressed(everywhere, ...keys), frame({ columns: 199, rows: 49, unicode })).join('\n')
        assert.doesNotMatch(drawn, /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/)
        // oxlint-disable-next-line no-control-regex
        if (!unicode) assert.match(drawn, /^[\n\u0020-\u007E]*$/)
      }
      const coloured = view(pressed(everywhere, ...keys), frame({ columns: 199, rows: 49, color: true })).join('\n')
      assert.equal(coloured.replaceAll(/\u001B\[\d{1,2}m/g, '').includes('\u001B'), false)
    })
  }
  it('is cut before it costs anything: ten thousand accents on a letter', () => {
    const line = lineOf([{ text: `a${'\u0301'.repeat(100_000)}` }], 20, { color: false, unicode: true })
    assert.ok(line.length <= 161)
  })
})

describe('lines', () => {
  const plain = { color: false, unicode: true }
  for (const [text, columns, shown] of [['abc', 3, 'abc'], ['abcd', 3, 'ab…'], ['日本語', 6, '日本語'], ['日本語', 5, '日本…'], ['日本語', 4, '日…'], ['👩‍👩‍👧x', 2, '…'], ['a\tb', 4, 'a  b'], ['', 0, '']] as const) {
    it(`shows ${JSON.stringify(text)} in ${columns} columns as ${JSON.stringify(shown)}`, () => assert.equal(lineOf([{ text }], columns, plain), shown))
  }
  it('fills columns by width and not by length', () => assert.deepEqual([pad('日本', 6, 'left', plain), pad('7', 3, 'right', plain), pad('12345', 3, 'right', plain)], ['日本  ', '  7', '12…']))
  it('colours pieces, and ends each colour', () => assert.equal(lineOf([{ text: 'a', style: 'red' }, { text: 'bc' }], 2, { color: true, unicode: true }), '\u001B[31ma\u001B[39m…'))
  it('without UTF-8 has nothing but ASCII', () => assert.equal(lineOf([{ text: 'Zoë 日本語' }], 7, { color: false, unicode: false }), 'Zo? ???'))
})

describe('curves', () => {
  const options = { columns: 6, rows: 1, least: 1, unicode: true }
  it('go from the lowest block to the highest, and leave a gap for what is not known', () => assert.deepEqual(chart([0, 1, null, 4, 8], options), ['  ▁ ▄█']))
  it('have an own line for each part of their height', () => assert.deepEqual(chart([4, 8], { ...options, columns: 2, rows: 2 }), [' █', '██']))
  it('know ASCII', () => assert.deepEqual(chart([1, 8], { ...options, columns: 2, unicode: false }), ['.#']))
  it('show that something is not nothing', () => assert.deepEqual(chart([1, 100_000], { ...options, columns: 2 }), ['▁█']))
})

describe('figures', () => {
  it('are short', () => {
    assert.deepEqual([null, 0, 0.4, 9.99, 12, 999, 1234, 45_678, 5_600_000].map(countText), ['-', '0', '0.4', '10.0', '12', '999', '1.2k', '46k', '5.6M'])
    assert.deepEqual([null, 0.21, 14.4, 9_999, 12_000].map(millisText), ['-', '0.2ms', '14ms', '9999ms', '12s'])
  })
})

const text = (type: string, fields: object = {}): string | undefined => eventText({ type, at: AT, ...fields })?.text

describe('events', () => {
  it('are told in words, those that others tell are not', () => {
    assert.equal(text('worker:exited', { slot: 1, kind: 'crashed', exit: { code: null, signal: 'SIGSEGV' }, uptimeMs: 5000, respawnInMs: 2000 }), 'worker 1 crashed: SIGSEGV after 5s; boots again in 2s')
    assert.equal(text('worker:exited', { slot: -1, kind: 'retired', exit: { code: 0, signal: null }, uptimeMs: 5000 }), 'a spare worker has left after 5s')
    assert.equal(text('reload:aborted', { failure: { why: 'boot-failure', slot: 0 } }), 'reload aborted: boot-failure (worker 0)')
    assert.equal(text('worker:listening', { slot: 1 }), undefined)
    assert.equal(text('primary:phase', { phase: 'stopped' }), undefined)
  })
  it('that are not known are told by name and plain fields', () => {
    assert.equal(eventText({ type: 'worker:full', at: AT, slot: 3, used: 900, limit: 1000, deep: { x: 1 } })?.text, 'worker:full worker 3 used=900 limit=1000')
    assert.equal(eventText({ type: 'toString', at: AT })?.text, 'toString')
    assert.doesNotThrow(() => eventText({ type: 'worker:exited', at: AT }))
  })
  it('have all forms without colours that they have with them', () => assert.deepEqual(FRAMES['80x24-colour']?.map((line) => stripVTControlCharacters(line.replaceAll('^[', '\u001B')).trimEnd()), FRAMES['80x24']?.map((line) => line.trimEnd())))
})
