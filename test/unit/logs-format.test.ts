import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { describe, it } from 'node:test'
import { createFormatter } from '../../src/logs/format.ts'
import type { FormatOptions, Formatter } from '../../src/logs/formatter.ts'
import type { LineEnd, StreamName } from '../../src/logs/types.ts'

const WORKER = { slot: 0, pid: 12345, generation: 2 }
const NOW = 1_700_000_000_123

async function formatter(options: Partial<FormatOptions>): Promise<Formatter> {
  return createFormatter({ format: 'pretty', color: false, name: 'app', size: 4, now: () => NOW, ...options })
}

function render(made: Formatter, stream: StreamName, text: string | Buffer, end: LineEnd = 'newline'): string | Buffer {
  return made.channel(WORKER, stream).render(Buffer.from(text), end)
}

describe('the format raw', () => {
  it('gives the bytes of a worker untouched, on their stream', async () => {
    const raw = await formatter({ format: 'raw' })
    const bytes = Buffer.from([0, 27, 91, 50, 74, 255, 13])
    for (const stream of ['stdout', 'stderr'] as const) {
      assert.deepEqual(raw.channel(WORKER, stream).render(bytes, 'newline'), bytes)
      assert.equal(raw.channel(WORKER, stream).to, stream)
    }
  })

  it('has the supervisor speak on stderr, every line marked and harmless', async () => {
    const raw = await formatter({ format: 'raw' })
    assert.equal(raw.recordsTo, 'stderr')
    assert.deepEqual(raw.record('error', 'one\ntwo \u001B[2J', {}), ['everycore: one', 'everycore: two \\x1b[2J'])
  })
})

describe('the format pretty', () => {
  it('aligns slots, pids and the supervisor', async () => {
    const pretty = await formatter({ size: 12 })
    const small = pretty.channel({ slot: 3, pid: 7, generation: 1 }, 'stdout').render(Buffer.from('a'), 'newline')
    const large = pretty.channel({ slot: 11, pid: 4_194_304, generation: 1 }, 'stderr').render(Buffer.from('b'), 'newline')
    assert.deepEqual([small, large, ...pretty.record('info', 'c\nd', {})], [
      ' 3 7       │ a',
      '11 4194304 ┃ b',
      'everycore  │ c',
      'everycore  │ d',
    ])
  })

  it('colours the slot and marks stderr in red', async () => {
    const pretty = await formatter({ color: true })
    assert.equal(render(pretty, 'stdout', 'x'), '\u001B[36m0 12345  \u001B[0m \u001B[2m│\u001B[0m x')
    assert.equal(render(pretty, 'stderr', 'x'), '\u001B[36m0 12345  \u001B[0m \u001B[31m┃\u001B[0m x')
  })

  it('drops the CR, shows controls, marks a cut line, replaces what is no UTF-8', async () => {
    const pretty = await formatter({})
    assert.equal(render(pretty, 'stdout', 'a\r'), '0 12345   │ a')
    assert.equal(render(pretty, 'stdout', '\u001B]0;x\u0007'), '0 12345   │ \\x1b]0;x\\x07')
    assert.equal(render(pretty, 'stdout', 'long', 'cut'), '0 12345   │ long…')
    assert.equal(render(pretty, 'stdout', Buffer.from([0xff])), '0 12345   │ \uFFFD')
  })
})

describe('the format json', () => {
  it('gives a worker line as pino would', async () => {
    const json = await formatter({ format: 'json' })
    const base = { time: NOW, pid: 12345, hostname: hostname(), name: 'app', slot: 0, generation: 2 }
    const parse = (...args: [StreamName, string | Buffer, LineEnd?]): unknown => JSON.parse(String(render(json, ...args)))
    assert.deepEqual(parse('stdout', 'say "hi"\t\u001B\r'), { level: 30, ...base, stream: 'stdout', msg: 'say "hi"\t\u001B' })
    assert.deepEqual(parse('stderr', Buffer.from([0xff])), { level: 50, ...base, stream: 'stderr', msg: '\uFFFD' })
    assert.deepEqual(parse('stdout', 'x', 'cut'), { level: 30, ...base, stream: 'stdout', msg: 'x', cut: true })
    assert.equal(json.channel(WORKER, 'stderr').to, 'stdout')
  })

  it('has no control character in its bytes', async () => {
    const json = await formatter({ format: 'json' })
    const all = String.fromCharCode(...Array.from({ length: 0x100 }, (_, code) => code))
    assert.doesNotMatch(String(render(json, 'stdout', all)), /[\u0000-\u001F\u007F-\u009F]/u)
    assert.doesNotMatch(json.record('info', all, { all }).join(''), /[\u0000-\u001F\u007F-\u009F]/u)
    const line: Record<string, unknown> = JSON.parse(String(render(json, 'stdout', all)))
    assert.equal(line['msg'], all)
  })

  it('gives a supervisor record through pino, its errors serialised, no key twice', async () => {
    const json = await formatter({ format: 'json' })
    const lines = json.record('warn', 'worker exited', { slot: 1, pid: 99, err: new Error('boom') })
    assert.equal(lines.length, 1)
    const record: Record<string, unknown> = JSON.parse(lines[0] ?? '')
    assert.match(JSON.stringify(record['err']), /"message":"boom"/u)
    const { level, time, pid, pid_, slot, name, msg } = record
    const expected = { level: 40, time: NOW, pid: process.pid, pid_: 99, slot: 1, name: 'app', msg: 'worker exited' }
    assert.deepEqual({ level, time, pid, pid_, slot, name, msg }, expected)
    assert.equal(lines[0]?.match(/"pid":/gu)?.length, 1)
    assert.equal(json.recordsTo, 'stdout')
  })
})
