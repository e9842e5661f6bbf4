import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nearest } from '../../src/base/nearest.ts'
import { formatDuration, formatSize, parseDuration, parseSize } from '../../src/base/units.ts'
import { VERSION } from '../../src/base/version.ts'

describe('durations', () => {
  for (const [text, ms] of [
    ['500ms', 500], ['30s', 30_000], ['1m', 60_000], ['1.5m', 90_000], ['2h', 7_200_000], ['1d', 86_400_000], [' 30 s ', 30_000], ['30S', 30_000], ['0s', 0],
  ] as const) {
    it(`reads ${JSON.stringify(text)} as ${ms} ms`, () => assert.equal(parseDuration(text), ms))
  }

  for (const text of ['', 's', '-1s', '1x', '1s2m', '30', 'Infinity', '1e3s', '1,5s', `${'9'.repeat(100_000)}s`]) {
    it(`refuses ${JSON.stringify(text.slice(0, 20))} without a default unit`, () => assert.equal(parseDuration(text), undefined))
  }

  it('takes the default unit for a bare number', () => {
    assert.equal(parseDuration('30', 's'), 30_000)
    assert.equal(parseDuration('30', 'ms'), 30)
    assert.equal(parseDuration('30ms', 's'), 30)
  })

  for (const [ms, text] of [[0, '0s'], [812, '812ms'], [1500, '1.5s'], [30_000, '30s'], [60_000, '1m'], [90_000, '90s'], [7_200_000, '2h']] as const) {
    it(`writes ${ms} ms as ${text}, and reads it back`, () => {
      assert.equal(formatDuration(ms), text)
      assert.equal(parseDuration(text), ms)
    })
  }
})

describe('sizes', () => {
  for (const [text, bytes] of [
    ['512', 512], ['512b', 512], ['64k', 65_536], ['64kb', 65_536], ['512M', 536_870_912], ['512MiB', 536_870_912], ['1.5G', 1_610_612_736], ['1t', 1024 ** 4],
  ] as const) {
    it(`reads ${text} as ${bytes} bytes`, () => assert.equal(parseSize(text), bytes))
  }

  for (const text of ['', 'M', '-1M', '1X', '1MM', '1 000']) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseSize(text), undefined))
  }

  for (const [bytes, text] of [[0, '0'], [900, '900'], [65_536, '64K'], [536_870_912, '512M'], [1_610_612_736, '1.5G']] as const) {
    it(`writes ${bytes} bytes as ${text}`, () => assert.equal(formatSize(bytes), text))
  }
})

describe('nearest', () => {
  const words = ['workers', 'port', 'name', 'start', 'ready-timeout']
  for (const [word, meant] of [
    ['workres', 'workers'], ['worker', 'workers'], ['WORKERS', 'workers'], ['prot', 'port'], ['stat', 'start'], ['readytimeout', 'ready-timeout'], ['zzzz', undefined], ['', undefined], ['wor', undefined],
  ] as const) {
    it(`takes ${JSON.stringify(word)} for ${meant ?? 'nothing'}`, () => assert.equal(nearest(word, words), meant))
  }

  it('prefers the closest of several', () => assert.equal(nearest('serve.js', ['servers.js', 'server.js']), 'server.js'))
})

it('calls itself 0.0.0-dev when no build gave it a version', () => assert.equal(VERSION, '0.0.0-dev'))
