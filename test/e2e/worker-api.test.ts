import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { App, fixture } from '../harness/app.ts'
import { get } from '../harness/http.ts'

test('under plain node everything is there and harmless', () => {
  const { stdout, status } = spawnSync(process.execPath, [fixture('api.mjs')], { encoding: 'utf8', env: { ...process.env, PORT: '0', END: '1' } })
  assert.equal(status, 0)
  assert.deepEqual(JSON.parse(stdout), { isSupervised: false, slot: 0, generation: 0 })
})

test('a worker knows its slot and generation', async (t) => {
  const app = await App.ready(t, 'api.mjs')
  const seen = (await Promise.all([app.line(/^\{/, 1), app.line(/^\{/, 2)])).map(({ msg }) => msg).sort()
  assert.deepEqual(seen.map((line) => JSON.parse(line) as unknown), [0, 1].map((slot) => ({ isSupervised: true, slot, generation: 1 })))
})

test('onDrain is called at the beginning, awaited, and its failures are told', async (t) => {
  const app = await App.ready(t, 'api.mjs', { workers: 1 })
  assert.equal((await app.stop()).code, 0)
  const lines = app.output.filter((line) => /DRAIN|GOODBYE|failed/.test(line))
  assert.deepEqual(lines.map((line) => line.split(':')[0]), ['DRAIN stop true', 'everycore', 'GOODBYE'])
})

test('a worker that never listens is ready when it says so', async (t) => {
  const app = await App.ready(t, 'queue-worker.mjs')
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
})

test('--wait-ready: listening alone is not enough, process.send("ready") is', async (t) => {
  const app = await App.start(t, 'says-ready.cjs', { options: ['--wait-ready'], workers: 1 })
  await app.event('worker:listening')
  assert.equal((await get({ port: app.port })).body, 'ok')
  assert.ok(!app.records.some(({ event }) => event === 'worker:ready'))
  await get({ port: app.port }, '/ready')
  await app.event('primary:started')
})

test('cluster.worker.disconnect() drains the worker, which is replaced', async (t) => {
  const app = await App.ready(t, 'leaves.cjs')
  const { body: slot } = await get({ port: app.port }, '/leave')
  await app.event('worker:exited', (record) => record['kind'] === 'retired' && String(record.slot) === slot)
  await app.event('worker:ready', (record) => String(record.slot) === slot, 2)
})

test('a message that goes with a handle is refused in the worker when it is larger than 60 KiB, and nothing is killed', async (t) => {
  const app = await App.ready(t, 'sends-handle.cjs', { workers: 1 })
  assert.equal((await get({ port: app.port })).body, 'ok')
  await app.line(/^REFUSED 200000/)
  await app.line(/^SENT/)
  assert.deepEqual(app.output, ['REFUSED 65000 ERR_EVERYCORE_MESSAGE', 'REFUSED 200000 ERR_EVERYCORE_MESSAGE', 'SENT 60000'])
  assert.equal((await get({ port: app.port })).body, 'ok')
  assert.ok(!app.records.some(({ event }) => event === 'worker:violated'))
})
