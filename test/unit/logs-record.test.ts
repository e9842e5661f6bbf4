import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readRecord } from '../../src/logs/record.ts'
import { randomFrom } from './logs-random.ts'

const read = (line: string | Buffer) => readRecord(Buffer.from(line as string))
const TIME = 1_531_171_074_631
const ISO = '2018-07-09T21:17:54.631Z'

describe('a line of a logger', () => {
  for (const [name, line, level, timeMs, msg] of [
    ['of pino', `{"level":30,"time":${TIME},"pid":657,"hostname":"h","msg":"hello world"}`, 'info', TIME, 'hello world'],
    ['of pino with times in ISO 8601', `{"level":40,"time":"${ISO}","pid":657,"hostname":"h","msg":"m"}`, 'warn', TIME, 'm'],
    ['of pino with times in seconds', `{"level":50,"time":1531171074,"msg":"m"}`, 'error', 1_531_171_074_000, 'm'],
    ['of pino with names for levels', `{"level":"fatal","time":${TIME},"msg":"m"}`, 'fatal', TIME, 'm'],
    ['of pino without a message', `{"level":20,"time":${TIME},"pid":657,"hostname":"h","a":1}`, 'debug', TIME, ''],
    ['of pino with a level of its own', `{"level":35,"time":${TIME},"msg":"m"}`, 'info', TIME, 'm'],
    ['of bunyan', `{"name":"app","hostname":"h","pid":123,"level":10,"msg":"hi","time":"${ISO}","v":0}`, 'trace', TIME, 'hi'],
    ['of winston', `{"level":"warn","message":"m","timestamp":"${ISO}"}`, 'warn', TIME, 'm'],
    ['of winston without a time', '{"message":"m","level":"http"}', 'debug', undefined, 'm'],
    ['of winston with the levels of syslog', '{"message":"m","level":"crit"}', 'fatal', undefined, 'm'],
    ['of winston with a date of local time', '{"level":"info","message":"m","timestamp":"2018-07-09 21:17:54"}', 'info', Date.parse('2018-07-09 21:17:54'), 'm'],
    ['with CRLF', '{"level":30,"msg":"m"}\r', 'info', undefined, 'm'],
  ] as const) {
    it(`${name} is read`, () => {
      const record = read(line)
      assert.deepEqual([record?.level, record?.timeMs, record?.msg, record?.text], [level, timeMs, msg, line.trimEnd()])
    })
  }

  for (const [name, line] of [
    ['a text', 'listening on 3000'],
    ['nothing', ''],
    ['a brace', '{'],
    ['an array', '[{"level":30,"msg":"m"}]'],
    ['half an object', '{"level":30,"msg":"m}'],
    ['two objects', '{"level":30,"msg":"m"}{"level":30}'],
    ['an object of the app', '{"msg":"m","user":1}'],
    ['a level that nobody knows', '{"level":"beginner","msg":"m"}'],
    ['a level beyond all', '{"level":1e999,"msg":"m"}'],
    ['a level of NaN, which is no JSON', '{"level":NaN,"msg":"m"}'],
    ['a level without anything', '{"level":30}'],
    ['a level that is no word', '{"level":"__proto__","msg":"m"}'],
  ] as const) {
    it(`${name} is none`, () => assert.equal(read(line), undefined))
  }

  it('has no time when that is none', () => {
    for (const time of ['1e999', '-1', '1e17', '"tomorrow"', '"2018-99-99T00:00:00Z"', 'null', '{}', `"${'2018-07-09T21:17:54'.padEnd(5000, '0')}"`]) {
      assert.equal(read(`{"level":30,"msg":"m","time":${time}}`)?.timeMs, undefined, time)
    }
  })

  it('of two keys of one name has the last', () => assert.equal(read('{"level":30,"level":50,"msg":"a","msg":"b"}')?.msg, 'b'))
})

describe('a hostile line', () => {
  it('changes no prototype', () => {
    for (const key of ['__proto__', 'constructor', 'prototype']) {
      read(`{"level":30,"msg":"m","${key}":{"polluted":true,"prototype":{"polluted":true}}}`)
      read(`{"${key}":{"level":30,"msg":"m","polluted":true}}`)
    }
    assert.equal(read('{"__proto__":{"level":30,"msg":"inherited"}}'), undefined)
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
    assert.deepEqual(Object.keys(Object.prototype), [])
  })

  it('may be nested as deep as it fits', () => {
    const deep = `{"level":30,"msg":"m","a":${'['.repeat(32_000)}${']'.repeat(32_000)}}`
    assert.equal(read(deep)?.msg, 'm')
    assert.equal(read(`{"level":30,"msg":"m","a":${'['.repeat(64_000)}}`), undefined)
  })

  it('of any bytes is read or not read, and never throws', () => {
    const { int, note } = randomFrom('record')
    const pieces = ['{', '}', '"level":30', ',', '"msg":"m"', '"time":', '1e999', '"', '\\u0000', '\\', '[', ']', ':', '\u001B[2J', '\uD800', '__proto__']
    for (let round = 0; round < 20_000; round++) {
      const line = Array.from({ length: int(12) }, () => pieces[int(pieces.length)]).join('')
      assert.doesNotThrow(() => read(`{"level":30,${line}}`), note)
    }
  })
})
