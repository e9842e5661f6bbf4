import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { EverycoreError } from '../../src/base/errors.ts'
import { resolveSettings, type SettingsInput } from '../../src/config/resolve.ts'
import { isNetwork, parseSticky } from '../../src/config/sticky-text.ts'
import type { StickySettings } from '../../src/config/types.ts'
import { fakeHost } from './config-host.ts'

const input = (env: Readonly<Record<string, string>>, options: object = {}): SettingsInput => ({ env, options, cwd: '/app', isTTY: false, host: fakeHost({ '/app/server.js': '' }) })
const sticky = (env: Readonly<Record<string, string>>, options?: object): StickySettings | undefined => resolveSettings(input(env, options)).sticky

function complaint(env: Readonly<Record<string, string>>, options?: object): string {
  try {
    resolveSettings(input(env, options))
  } catch (error) {
    if (error instanceof EverycoreError) return [error.message, error.why, error.hint].filter((text) => text !== undefined).join('\n')
    throw error
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' })
}

describe('a way to tell clients apart', () => {
  const good = {
    ip: { by: 'ip', name: null },
    ' ip ': { by: 'ip', name: null },
    cookie: { by: 'cookie', name: null },
    'cookie:connect.sid': { by: 'cookie', name: 'connect.sid' },
    'cookie:Sid': { by: 'cookie', name: 'Sid' },
    'header:X-Client-Id': { by: 'header', name: 'x-client-id' },
  }
  for (const [text, expected] of Object.entries(good)) test(`"${text}" is one`, () => assert.deepEqual(parseSticky(text), expected))
  for (const text of ['', 'header', 'header:', 'cookie:', 'ip:', 'ip:x', 'IP', 'session', 'header:a b', 'header:a:b', 'header:a\r\nb', 'cookie:a=b', 'cookie:a;b', `header:${'x'.repeat(129)}`]) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(parseSticky(text), undefined))
  }
})

describe('a trusted proxy', () => {
  for (const text of ['10.0.0.1', '10.0.0.0/8', '0.0.0.0/0', '::1', 'fd00::/8', '::/0', '2001:db8::1/128', 'unix']) test(`may be ${text}`, () => assert.ok(isNetwork(text)))
  for (const text of ['', '10.0.0', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0.0/8.0', '::/129', 'localhost', 'UNIX', 'unix/1', '10.0.0.1:80']) test(`may not be ${JSON.stringify(text)}`, () => assert.ok(!isNetwork(text)))
})

describe('the settings of sticky sessions', () => {
  test('are off by themselves', () => assert.equal(sticky({}), undefined))

  test('come from variables and options, each with its default', () => {
    assert.deepEqual(sticky({ EVERYCORE_STICKY: 'cookie' }), { by: 'cookie', name: null, trusted: [], factor: 1.25 })
    assert.deepEqual(sticky({ EVERYCORE_STICKY: 'ip', EVERYCORE_TRUSTED_PROXIES: '10.0.0.0/8, unix', EVERYCORE_STICKY_FACTOR: '2' }), { by: 'ip', name: null, trusted: ['10.0.0.0/8', 'unix'], factor: 2 })
    assert.deepEqual(sticky({}, { sticky: 'header:X-A', stickyFactor: 1 }), { by: 'header', name: 'x-a', trusted: [], factor: 1 })
  })

  test('contradict a balance, whichever it is', () => {
    for (const balance of ['least-busy', 'shared', 'round-robin']) assert.match(complaint({ EVERYCORE_STICKY: 'ip', EVERYCORE_BALANCE: balance }), /EVERYCORE_STICKY.* and .*EVERYCORE_BALANCE.* contradict each other/)
  })

  test('without effect are an error, all of them at once', () => {
    assert.match(complaint({ EVERYCORE_STICKY_FACTOR: '2' }), /EVERYCORE_STICKY_FACTOR.* has no effect without --sticky/)
    const both = complaint({ EVERYCORE_STICKY_FACTOR: '2', EVERYCORE_TRUSTED_PROXIES: 'unix' })
    assert.match(both, /^2 problems.*EVERYCORE_TRUSTED_PROXIES.* has no effect without.*EVERYCORE_STICKY_FACTOR.* has no effect without/s)
    assert.match(complaint({ EVERYCORE_STICKY: 'cookie', EVERYCORE_TRUSTED_PROXIES: 'unix' }), /EVERYCORE_TRUSTED_PROXIES.* has no effect with --sticky cookie/)
    assert.match(complaint({ EVERYCORE_STICKY: 'header:a', EVERYCORE_TRUSTED_PROXIES: 'unix', EVERYCORE_BALANCE: 'shared' }), /^2 problems.*contradict.*has no effect with --sticky header/s)
  })

  test('that are wrong say what is right', () => {
    assert.match(complaint({ EVERYCORE_STICKY: 'session' }), /"session" is not a way to tell clients apart: use ip, cookie, cookie:<name> or header:<name>/)
    assert.match(complaint({ EVERYCORE_STICKY: 'ip', EVERYCORE_TRUSTED_PROXIES: '10.0.0.0/8,nonsense' }), /is not a list of addresses: use 10\.0\.0\.1/)
    for (const factor of ['0.5', '101', 'x', '-1', 'Infinity']) assert.match(complaint({ EVERYCORE_STICKY: 'ip', EVERYCORE_STICKY_FACTOR: factor }), /is not a factor: use 1 to 100/)
    const all = complaint({ EVERYCORE_STICKY: 'session', EVERYCORE_TRUSTED_PROXIES: 'x', EVERYCORE_STICKY_FACTOR: '0' })
    assert.match(all, /^3 problems/)
    assert.doesNotMatch(all, /no effect/, 'what is wrong itself makes nothing else wrong')
  })
})
