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

const shownAs = (made: Formatter, object: object | string): string[] => String(render(made, 'stdout', typeof object === 'string' ? object : JSON.stringify(object))).split('\n')

describe('a line of a logger in the format pretty', () => {
  const at = new Date(2018, 6, 9, 21, 17, 4, 31).getTime()

  it('has time, level, message, and the other fields in short', async () => {
    const pretty = await formatter({})
    assert.deepEqual(shownAs(pretty, { level: 30, time: at, pid: 1, hostname: 'h', name: 'n', v: 0, msg: 'hello', route: '/a', ms: 1.5, q: 'a b', o: { x: [1] }, n: null }), [
      '0 12345   │ 21:17:04.031 INFO  hello route=/a ms=1.5 q="a b" o={"x":[1]} n=null',
    ])
    assert.deepEqual(shownAs(pretty, { level: 'warn', message: 'm' }), ['0 12345   │ WARN  m'])
  })

  it('has its level in colour', async () => {
    const pretty = await formatter({ color: true })
    assert.match(shownAs(pretty, { level: 50, msg: 'm' })[0] ?? '', /\u001B\[31mERROR\u001B\[0m m$/u)
  })

  it('has the stack of its error on lines of their own, each with the prefix', async () => {
    const pretty = await formatter({})
    const stack = 'Error: boom\n    at a (b.js:1:2)'
    const expected = ['0 12345   │   Error: boom', '0 12345   │       at a (b.js:1:2)']
    assert.deepEqual(shownAs(pretty, { level: 50, msg: 'm', err: { type: 'Error', message: 'boom', stack, code: 'EBOOM' } }), ['0 12345   │ ERROR m err.code=EBOOM', ...expected])
    assert.deepEqual(shownAs(pretty, { level: 'error', message: 'm', stack }), ['0 12345   │ ERROR m', ...expected])
  })

  it('forges no line: what stands after a newline has the prefix, and there are not too many', async () => {
    const pretty = await formatter({})
    const forged = shownAs(pretty, { level: 30, msg: 'one\neverycore │ all is lost', key: 'value' })
    assert.deepEqual(forged, ['0 12345   │ INFO  one', '0 12345   │   everycore │ all is lost', '0 12345   │   key=value'])
    const many = shownAs(pretty, { level: 30, msg: '\n'.repeat(30_000), err: { stack: '\n'.repeat(900) } })
    assert.equal(many.length, 100)
    assert.match(many.at(-1) ?? '', /more lines$/u)
  })

  it('is harmless wherever the escape stands, with colours and without', async () => {
    const evil = '\u001B[2J\u001B]0;x\u0007\r\u009B\u202E\u0000'
    const object = { level: 30, msg: evil, [evil]: evil, a: { [evil]: [evil] }, err: { stack: `${evil}\n${evil}`, [evil]: evil } }
    for (const color of [false, true]) {
      const pretty = await formatter({ color })
      const text = shownAs(pretty, object).join('').replaceAll(/\u001B\[[0-9;]*m/gu, '')
      assert.doesNotMatch(text, /[\u0000-\u0008\u000A-\u001F\u007F-\u009F\u202A-\u202E]/u)
    }
  })

  it('shows no more than a part of what is long or deep', async () => {
    const pretty = await formatter({})
    assert.ok((shownAs(pretty, { level: 30, msg: 'm', long: 'x'.repeat(50_000) })[0] ?? '').length < 1100)
    const deep = `{"level":30,"msg":"m","a":${'['.repeat(32_000)}${']'.repeat(32_000)}}`
    assert.match(shownAs(pretty, deep)[0] ?? '', /m a=.{1,1001}$/u)
  })
})

const parsed = (made: Formatter, line: string): Record<string, unknown> => JSON.parse(String(render(made, 'stderr', line))) as Record<string, unknown>

describe('a line of a logger in the format json', () => {
  it('keeps its level, time and message, and its object as it was', async () => {
    const json = await formatter({ format: 'json' })
    const line = '{"level":"warn","timestamp":"2018-07-09T21:17:54.631Z","message":"m","id":12345678901234567890,"msg":null}'
    assert.deepEqual(Object.entries(parsed(json, line)).slice(0, 2), [['level', 40], ['time', 1_531_171_074_631]])
    assert.ok(String(render(json, 'stderr', line)).endsWith(`"stream":"stderr","msg":"m","app":${line}}`), 'to the last digit')
    assert.equal(parsed(json, '{"level":30,"msg":"no time"}')['time'], NOW)
  })

  it('cannot forge what everycore says', async () => {
    const json = await formatter({ format: 'json' })
    const record = parsed(json, '{"level":30,"msg":"m","slot":7,"event":"worker:exited","pid":1,"__proto__":{"slot":9}}')
    assert.deepEqual([record['slot'], record['pid'], record['event']], [0, 12345, undefined])
  })

  it('has no control character in its bytes, and any nesting', async () => {
    const json = await formatter({ format: 'json' })
    const line = '{"level":30,"msg":"\u007F\u009B","\u0085":"\u0090"}'
    assert.doesNotMatch(String(render(json, 'stdout', line)), /[\u0000-\u001F\u007F-\u009F]/u)
    assert.deepEqual(parsed(json, line)['app'], JSON.parse(line))
    const deep = `{"level":30,"msg":"m","a":${'['.repeat(32_000)}${']'.repeat(32_000)}}`
    assert.equal(parsed(json, deep)['msg'], 'm')
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
