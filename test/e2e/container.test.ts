import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { App } from '../harness/app.ts'
import { Connection, get } from '../harness/http.ts'
import { until } from '../harness/until.ts'

/** A pid namespace of its own, where what it starts is process 1: pid_namespaces(7). Root only. */
const CONTAINER = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child']
const options = { skip: spawnSync(CONTAINER[0] ?? '', [...CONTAINER.slice(1), 'true']).status === 0 ? false : 'needs root and unshare(1)' }
const through = (): readonly string[] => CONTAINER

/** The pid, seen from outside, of the process that is number 1 inside. */
function first(app: App): number {
  return Number(readFileSync(`/proc/${app.pid}/task/${app.pid}/children`, 'utf8').trim())
}

test('as process 1, SIGTERM drains and ends with 0', options, async (t) => {
  const app = await App.ready(t, 'web.cjs', { through })
  assert.ok(app.records.some(({ event, pid }) => event === 'primary:started' && pid === 1))
  const slow = await Connection.open({ port: app.port })
  slow.send('/slow?ms=500')
  await until('it is under way', () => slow.socket.bytesWritten > 0)
  process.kill(first(app), 'SIGTERM')
  assert.equal((await slow.receive()).headers['connection'], 'close')
  assert.deepEqual(await app.ended, { code: 0, signal: null })
})

test('as process 1, the other signals do what they do elsewhere: reload, interrupt, quit', options, async (t) => {
  const app = await App.ready(t, 'web.cjs', { through })
  process.kill(first(app), 'SIGHUP')
  await app.event('reload:finished')
  process.kill(first(app), 'SIGUSR1')
  process.kill(first(app), 'SIGQUIT')
  assert.deepEqual(await app.ended, { code: 131, signal: null })
  const interrupted = await App.ready(t, 'web.cjs', { through })
  process.kill(first(interrupted), 'SIGINT')
  assert.deepEqual(await interrupted.ended, { code: 0, signal: null })
})

test('as process 1, an upgrade is refused with the reason', options, async (t) => {
  const app = await App.ready(t, 'web.cjs', { through, workers: 1 })
  process.kill(first(app), 'SIGURG')
  await app.record('the refusal', ({ msg }) => msg.startsWith('cannot upgrade: this is process 1 of a container'))
  assert.equal((await get({ port: app.port })).status, 200)
  process.kill(first(app), 'SIGTERM')
  assert.equal((await app.ended).code, 0)
})

test('as process 1, zombies that nobody waits for are told once', options, async (t) => {
  const app = await App.ready(t, 'orphans.cjs', { through, workers: 1 })
  const warnings = (): number => app.records.filter(({ msg }) => msg.includes('docker run --init')).length
  await get({ port: app.port })
  await get({ port: app.port })
  const warning = await app.record('the warning', ({ msg }) => msg.includes('docker run --init'))
  assert.equal(warning.level, 40)
  assert.match(warning.msg, /stays as a zombie/)
  process.kill(first(app), 'SIGTERM')
  assert.equal((await app.ended).code, 0)
  assert.equal(warnings(), 1)
})
