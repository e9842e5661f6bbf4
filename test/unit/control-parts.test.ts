import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseControl } from '../../src/config/control.ts'
import { refuse } from '../../src/control/access.ts'
import { readBody, readScaleTarget } from '../../src/control/body.ts'
import { socketPath } from '../../src/control/socket-path.ts'
import { verdictOf } from '../../src/primary/verdict.ts'
import type { WorkerStatus } from '../../src/protocol/control.ts'

describe('the path of a socket', () => {
  it('is the name, and fits into sun_path', () => {
    assert.equal(socketPath('/run/everycore', 'shop'), '/run/everycore/shop.sock')
    const directory = `/run/${'d'.repeat(60)}`
    const [one, other] = ['a'.repeat(64), `${'a'.repeat(63)}b`].map((name) => socketPath(directory, name))
    assert.ok(one !== undefined && other !== undefined && one !== other)
    for (const path of [one, other]) assert.ok(Buffer.byteLength(path) <= 107, path)
    assert.equal(socketPath(directory, 'a'.repeat(64)), one, 'always the same')
    assert.equal(socketPath(`/run/${'d'.repeat(100)}`, 'shop'), undefined)
  })
})

describe('--control', () => {
  for (const [text, tcp] of [['9300', ['127.0.0.1', 9300]], ['127.0.0.1:1', ['127.0.0.1', 1]], ['[::1]:9300', ['::1', 9300]], ['localhost:9300', ['localhost', 9300]], ['127.1.2.3:9300', ['127.1.2.3', 9300]]] as const) {
    it(`${text} is an address of this machine`, () => assert.deepEqual(parseControl(text), { isOn: true, tcp: { host: tcp[0], port: tcp[1] } }))
  }
  it('may be on or off', () => assert.deepEqual([parseControl(true), parseControl('off')], [{ isOn: true, tcp: undefined }, { isOn: false, tcp: undefined }]))
  for (const text of ['0.0.0.0:9300', '::1:9300', '10.0.0.1:9300', '127.0.0.1.evil.test:9300', '127.0.0.256:9300', '65536', 'maybe', '']) it(`${text} is none`, () => assert.equal(parseControl(text), undefined))
})

describe('access', () => {
  const asked = { host: undefined, origin: undefined, fetchSite: undefined, authorization: undefined }
  it('on the unix socket is what the file system says, but for websites', () => {
    assert.equal(refuse({ ...asked, host: 'anything' }, 'unix', undefined), undefined)
    assert.equal(refuse({ ...asked, host: 'evil.test', origin: 'http://evil.test' }, 'unix', undefined)?.status, 403)
  })
  it('by TCP needs a token that was given out', () => {
    const access = { token: 'a'.repeat(32) }
    const request = { ...asked, host: '127.0.0.1:9300', authorization: `Bearer ${access.token}` }
    assert.equal(refuse(request, 'tcp', access), undefined)
    assert.equal(refuse(request, 'tcp', undefined)?.status, 401)
    assert.equal(refuse({ ...request, authorization: 'Bearer ' }, 'tcp', access)?.status, 401)
  })
})

describe('a body', () => {
  it('has the fields that it may have', () => {
    const read = readBody('{"size":"+1"}', ['size'])
    assert.deepEqual(read.ok && [...read.fields], [['size', '+1']])
    assert.equal(readBody('', []).ok, true)
    assert.equal(readBody('{"size":1}', []).ok, false)
  })
  it('never reaches a prototype', () => {
    for (const text of ['{"__proto__":{"polluted":1}}', '{"constructor":{"prototype":{"polluted":1}}}', '{"size":{"__proto__":{"polluted":1}}}', '[[{"__proto__":1}]]']) readBody(text, ['size'])
    assert.equal(({} as { readonly polluted?: unknown }).polluted, undefined)
    assert.deepEqual(Object.keys(Object.prototype), [])
  })
  it('scales to what is possible', () => {
    for (const good of [1, 1024, '+1', '-1', 'auto']) assert.equal(readScaleTarget(good), good)
    for (const bad of [0, 1025, 1e9, 1.5, '2', '+2', null, {}, [], Number.NaN, undefined]) assert.equal(readScaleTarget(bad), undefined)
  })
})

describe('the verdict', () => {
  const NOW = Date.parse('2026-01-01T00:10:00Z')
  const worker: WorkerStatus = { slot: 0, pid: 1, state: 'ready', reason: null, generation: 1, uptimeMs: 1, restarts: 0, lastExit: null, respawnInMs: null, cpu: null, rssBytes: null, loopUtilization: 0.1, loopLagP99Ms: null, requestsPerSecond: null, p50Ms: null, p99Ms: null, inFlight: null, connections: null }
  const facts = { state: 'running', size: 2, reload: null, restart: null, workers: [worker, { ...worker, slot: 1 }] } as const
  const crashed = { reason: 'crash', how: 'exit code 1', at: '2026-01-01T00:07:00Z' } as const
  for (const [what, given, sentences] of [
    ['all is well', facts, ['all 2 workers are ready']],
    ['one crashed some minutes ago', { ...facts, workers: [worker, { ...worker, slot: 1, restarts: 3, lastExit: crashed }] }, ['worker 1 crashed (exit code 1) 3m ago (3 restarts)', 'all 2 workers are ready']],
    ['one is down', { ...facts, state: 'degraded', workers: [worker, { ...worker, slot: 1, state: 'back-off', respawnInMs: 2510, lastExit: crashed }] }, ['degraded: 1 of 2 workers are ready', 'worker 1 is down: it crashed (exit code 1) 3m ago; it boots again in 2.6s']],
    ['one hangs', { ...facts, workers: [worker, { ...worker, slot: 1, pid: 7, state: 'stalled' }] }, ['worker 1 (pid 7) hangs and is being killed']],
    ['one is busy all the time', { ...facts, workers: [worker, { ...worker, slot: 1, loopUtilization: 0.99 }] }, ['the event loop of worker 1 is busy 99 % of the time', 'all 2 workers are ready']],
    ['none is ready', { ...facts, state: 'degraded', workers: [] }, ['no worker is ready: connections wait']],
    ['it starts', { ...facts, state: 'starting', workers: [worker, { ...worker, slot: 1, state: 'booting' }] }, ['1 of 2 workers boots']],
    ['it stops', { ...facts, state: 'stopping', workers: [{ ...worker, state: 'draining' }] }, ['stopping: 1 worker has not left yet']],
    ['it reloads', { ...facts, reload: { state: 'rolling', from: 1, to: 2, slots: [{ slot: 0, step: 'done', inFlight: null }, { slot: 1, step: 'old', inFlight: 0 }] } }, ['reloading to generation 2: 1 of 2 slots are done', 'all 2 workers are ready']],
  ] as const) {
    it(what, () => assert.deepEqual(verdictOf(given, NOW), sentences))
  }
})
