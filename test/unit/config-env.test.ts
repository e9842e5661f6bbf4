import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { colorFor } from '../../src/config/color.ts'
import { readEnvFiles } from '../../src/config/env-file.ts'
import { workerEnv } from '../../src/config/worker-env.ts'
import { fakeHost } from './config-host.ts'

function readText(text: string): object {
  return readEnvFiles(['.env'], '/app', fakeHost({ '/app/.env': text }))
}

describe('an env file', () => {
  for (const [name, text, variables] of [
    ['has variables, comments and empty lines', '# comment\n\nA=1\r\n  B = two words # note\nexport C=3\n', { A: '1', B: 'two words', C: '3' }],
    ['may quote in three ways', `A="a b"\nB='c # d'\nC=\`e\``, { A: 'a b', B: 'c # d', C: 'e' }],
    ['may have a quoted value of several lines', 'KEY="-----BEGIN\nnot a pair\n-----END"\nB=2', { KEY: '-----BEGIN\nnot a pair\n-----END', B: '2' }],
    ['may have empty values', 'A=\nB=2', { A: '', B: '2' }],
    ['may start with a byte order mark', '\uFEFFA=1', { A: '1' }],
    ['may be empty', '', {}],
  ] as const) {
    it(name, () => assert.deepEqual({ ...readText(text) }, variables))
  }

  for (const [text, line] of [
    ['FOO', 1],
    ['A=1\n\nsecret value\nB=2', 3],
    ['=x', 1],
    ['A="x\ny"\n{"json": true}', 3],
    ['A="never closed\nB', 2],
    ['A B=1', 1],
  ] as const) {
    it(`with the text ${JSON.stringify(text)} is refused for line ${line}, which is not shown`, () => {
      assert.throws(() => readText(text), { code: 'ERR_EVERYCORE_ENV_FILE', exitCode: 2, message: `cannot parse env file .env: line ${line} is not KEY=VALUE` })
    })
  }

  it('is refused when it is missing, a directory or unreadable', () => {
    const host = fakeHost({ '/app/dir/x': '', '/app/denied': { kind: 'file', denied: true } })
    assert.throws(() => readEnvFiles(['gone'], '/app', host), { code: 'ERR_EVERYCORE_ENV_FILE', exitCode: 2, why: 'There is no /app/gone.' })
    assert.throws(() => readEnvFiles(['dir'], '/app', host), { why: '/app/dir is a directory.' })
    assert.throws(() => readEnvFiles(['denied'], '/app', host), { why: 'Permission denied for /app/denied.' })
  })

  it('loses to a later one', () => {
    const host = fakeHost({ '/app/a': 'A=1\nB=1', '/app/b': 'B=2' })
    assert.deepEqual({ ...readEnvFiles(['a', '/app/b'], '/app', host) }, { A: '1', B: '2' })
  })

  it('of a megabyte of unclosed quotes is parsed at once', () => {
    const began = performance.now()
    readText('A="x\n'.repeat(100_000))
    assert.ok(performance.now() - began < 2000)
  })
})

describe('the environment of a worker', () => {
  it('is files, then the real environment, then the option, then the port', () => {
    const env = workerEnv({ files: { A: 'file', B: 'file', PORT: '1' }, processEnv: { B: 'real', C: 'real', PORT: '2', D: undefined }, extra: { C: 'option', E: undefined }, port: 3 })
    assert.deepEqual(env, { A: 'file', B: 'real', C: 'option', PORT: '3' })
  })

  it('has no variable that is undefined in the option', () => {
    assert.deepEqual(workerEnv({ files: {}, processEnv: { A: '1' }, extra: { A: undefined }, port: undefined }), {})
  })

  it('has nothing that belongs to the supervisor', () => {
    const ours = ['NOTIFY_SOCKET', 'LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES', 'WATCHDOG_USEC', 'WATCHDOG_PID', 'NODE_UNIQUE_ID', 'NODE_CHANNEL_FD', 'EVERYCORE_WORKERS', 'EVERYCORE_ANYTHING']
    const all = Object.fromEntries([...ours, 'INVOCATION_ID', 'PORT'].map((name) => [name, '1']))
    assert.deepEqual(workerEnv({ files: all, processEnv: all, extra: all, port: undefined }), { INVOCATION_ID: '1', PORT: '1' })
  })
})

describe('colours', () => {
  for (const [env, isTTY, on] of [
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ NODE_DISABLE_COLORS: '1' }, true, false],
    [{ TERM: 'dumb' }, true, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ FORCE_COLOR: 'false' }, true, false],
  ] as const) {
    it(`are ${on ? 'on' : 'off'} with ${JSON.stringify(env)} ${isTTY ? 'on' : 'without'} a terminal`, () => assert.equal(colorFor(env, isTTY), on))
  }
})
