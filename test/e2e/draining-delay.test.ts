import assert from 'node:assert/strict'
import { test } from 'node:test'
import { App } from '../harness/app.ts'
import { get } from '../harness/http.ts'
import { until } from '../harness/until.ts'

const LONG = ['--drain-delay', '20s', '--graceful-timeout', '5s']

async function isRefused(port: number): Promise<boolean> {
  return get({ port }).then(() => false, () => true)
}

test('--drain-delay: after SIGTERM all goes on, the readiness route can say that it ends, then the drain begins', async (t) => {
  const app = await App.ready(t, 'readiness.cjs', { options: ['--drain-delay', '1500ms'] })
  assert.equal((await get({ port: app.port }, '/ready')).status, 200)
  app.kill('SIGTERM')
  const asked = performance.now()
  await Promise.all(app.workerPids().map(async (pid) => app.line(new RegExp(`LEAVING ${pid}`))))
  assert.equal((await get({ port: app.port }, '/ready')).status, 503)
  assert.equal((await get({ port: app.port })).status, 200)
  await app.event('primary:phase', ({ msg }) => msg.startsWith('stopping'))
  await app.event('worker:draining')
  assert.ok(performance.now() - asked > 1400, 'not before its time')
  await until('no connection is taken', async () => isRefused(app.port))
  assert.deepEqual(await app.ended, { code: 0, signal: null })
  assert.ok(app.output.includes('DRAIN stop true'))
  assert.ok(!app.output.includes('LEAVING never'))
})

test('a worker that dies during the delay is replaced, and its successor knows', async (t) => {
  const app = await App.ready(t, 'readiness.cjs', { workers: 1, options: LONG })
  app.kill('SIGTERM')
  await app.line(/LEAVING/)
  process.kill(app.workerPids()[0] ?? -1, 'SIGKILL')
  await app.line(/LEAVING/, 2)
  await app.event('worker:ready', () => true, 2)
  assert.equal((await get({ port: app.port }, '/ready')).status, 503)
  app.kill('SIGQUIT')
  assert.equal((await app.ended).code, 131)
})

test('a second SIGTERM does not shorten the delay, a second Ctrl-C ends at once', async (t) => {
  const app = await App.ready(t, 'readiness.cjs', { options: LONG })
  app.kill('SIGTERM')
  await app.line(/LEAVING/)
  app.kill('SIGTERM')
  app.kill('SIGINT')
  assert.equal((await get({ port: app.port })).status, 200)
  // Two that come before the first is dealt with are one (signal(7)).
  const again = setInterval(() => app.kill('SIGINT'), 200)
  t.after(() => clearInterval(again))
  const { code } = await app.ended
  clearInterval(again)
  assert.equal(code, 130)
})

test('a reload is no stop: a worker that drains in it is not leaving', async (t) => {
  const app = await App.ready(t, 'readiness.cjs', { workers: 1 })
  app.kill('SIGUSR2')
  await app.line(/DRAIN reload false/)
  await app.event('reload:finished')
  assert.equal((await app.stop()).code, 0)
  assert.ok(app.output.includes('DRAIN stop true'), 'without a delay, too')
})
