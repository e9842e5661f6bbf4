import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { App, fixture } from '../harness/app.ts'
import { get } from '../harness/http.ts'
import { hasSystemd, notifySocket } from '../harness/notify-socket.ts'

const options = { skip: hasSystemd ? false : 'systemd is not installed' }

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

test('systemd is told when all workers are ready, how many serve, and that it stops', options, async (t) => {
  const notify = await notifySocket(t)
  const app = await App.ready(t, 'web.cjs', { env: { NOTIFY_SOCKET: notify.path } })
  const ready = await notify.message({ READY: '1' })
  assert.equal(ready.fields['STATUS'], '2 of 2 workers serve, generation 1')
  assert.ok(notify.messages.slice(0, notify.messages.indexOf(ready)).every(({ fields }) => fields['READY'] === undefined && fields['STATUS']?.startsWith('2') !== true))
  const [pid = 0] = app.workerPids()
  process.kill(pid, 'SIGKILL')
  await notify.message({ STATUS: '1 of 2 workers serve, generation 1' })
  await app.event('worker:ready', () => true, 3)
  await notify.message({ STATUS: '2 of 2 workers serve, generation 1' }, 2)
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
  const stopping = await notify.message({ STOPPING: '1' })
  assert.match(stopping.fields['STATUS'] ?? '', /^stopping: /)
  assert.equal(stopping.fields['EXTEND_TIMEOUT_USEC'], undefined, 'the drain timeout is shorter than what systemd waits')
  await notify.message({ STATUS: 'stopped' })
  assert.equal(notify.messages.filter(({ fields }) => fields['READY'] === '1').length, 1)
})

test('a reload is told at its begin, with its time in the same message, and at its end, also when it is aborted', options, async (t) => {
  const script = join(scratch(t), 'server.cjs')
  writeFileSync(script, `require(${JSON.stringify(fixture('web.cjs'))})`)
  const notify = await notifySocket(t)
  const app = await App.ready(t, script, { env: { NOTIFY_SOCKET: notify.path } })
  await notify.message({ READY: '1' })
  const before = process.hrtime.bigint() / 1000n
  app.kill('SIGHUP')
  const reloading = await notify.message({ RELOADING: '1' })
  const asked = BigInt(reloading.fields['MONOTONIC_USEC'] ?? 0)
  assert.ok(asked >= before && asked <= process.hrtime.bigint() / 1000n, 'CLOCK_MONOTONIC')
  const finished = await notify.message({ READY: '1' }, 2)
  assert.equal(finished.fields['STATUS'], '2 of 2 workers serve, generation 2')
  assert.ok(app.records.some(({ event }) => event === 'reload:finished'))

  writeFileSync(script, 'throw new Error("a bad release")')
  app.kill('SIGHUP')
  await notify.message({ RELOADING: '1' }, 2)
  const aborted = await notify.message({ READY: '1' }, 3)
  assert.match(aborted.fields['STATUS'] ?? '', /^reload aborted at slot 0 \(boot-failure\), the old workers go on: 2 of 2 workers serve/)

  rmSync(script)
  app.kill('SIGHUP')
  await notify.message({ RELOADING: '1' }, 3)
  const refused = await notify.message({ READY: '1' }, 4)
  assert.match(refused.fields['STATUS'] ?? '', /^reload refused \(.*\): 2 of 2 workers serve/)
})

test('a drain that may take longer than systemd usually waits asks for its time', options, async (t) => {
  const notify = await notifySocket(t)
  const app = await App.ready(t, 'web.cjs', { env: { NOTIFY_SOCKET: notify.path }, options: ['--graceful-timeout', '5m'], workers: 1 })
  await notify.message({ READY: '1' })
  await app.stop()
  assert.equal((await notify.message({ STOPPING: '1' })).fields['EXTEND_TIMEOUT_USEC'], '310000000')
})

test('the watchdog is fed while a worker serves, and not while none does', options, async (t) => {
  const script = join(scratch(t), 'server.cjs')
  const go = `${script}.go`
  // From the second start on it waits, and says so five times in the time of the watchdog.
  writeFileSync(
    script,
    `const { existsSync, writeFileSync } = require('node:fs')
    const serve = () => require('node:http').createServer((_, response) => response.end()).listen(process.env.PORT)
    if (!existsSync('${script}.started')) { writeFileSync('${script}.started', ''); serve() }
    else { const timer = setInterval(() => { console.log('WAITING'); if (existsSync('${go}')) { clearInterval(timer); serve() } }, 200) }`,
  )
  const notify = await notifySocket(t)
  const app = await App.ready(t, script, { env: { NOTIFY_SOCKET: notify.path, WATCHDOG_USEC: '1000000' }, workers: 1 })
  const [first, second] = [await notify.message({ WATCHDOG: '1' }), await notify.message({ WATCHDOG: '1' }, 2)]
  assert.ok(second.at - first.at < 900, `fed after ${second.at - first.at} ms of 1000`)
  process.kill(app.workerPids()[0] ?? 0, 'SIGKILL')
  await notify.message({ STATUS: '0 of 1 workers serve, generation 1' })
  const fed = (): number => notify.messages.filter(({ fields }) => fields['WATCHDOG'] === '1').length
  // One may have been under way.
  await app.line(/WAITING/)
  const before = fed()
  await app.line(/WAITING/, 8)
  assert.equal(fed(), before)
  writeFileSync(go, '')
  const ready = await notify.message({ STATUS: '1 of 1 workers serve, generation 1' }, 2)
  assert.ok((await notify.message({ WATCHDOG: '1' }, before + 1)).at - ready.at < 400, 'at once, when one serves again')
})

test('a watchdog for another process is not ours to feed', options, async (t) => {
  const notify = await notifySocket(t)
  const app = await App.ready(t, 'web.cjs', { env: { NOTIFY_SOCKET: notify.path, WATCHDOG_USEC: '200000', WATCHDOG_PID: '1' }, workers: 1 })
  await notify.message({ READY: '1' })
  await app.stop()
  await notify.message({ STATUS: 'stopped' })
  assert.equal(notify.messages.some(({ fields }) => fields['WATCHDOG'] !== undefined), false)
})

test('a worker sees nothing of what systemd gave the supervisor', options, async (t) => {
  const notify = await notifySocket(t)
  const app = await App.ready(t, 'identity.cjs', { env: { NOTIFY_SOCKET: notify.path, WATCHDOG_USEC: '1000000' }, workers: 1 })
  const { env } = JSON.parse((await app.line(/^IDENTITY /)).msg.slice(9)) as { readonly env: readonly string[] }
  assert.ok(env.includes('PORT'))
  assert.deepEqual(env.filter((name) => /NOTIFY|WATCHDOG|LISTEN/.test(name)), [])
})

test('when systemd cannot be told, the service runs all the same, and one line says what is missing', async (t) => {
  const app = await App.ready(t, 'web.cjs', { env: { NOTIFY_SOCKET: join(scratch(t), 'nobody') }, workers: 1 })
  assert.equal((await get({ port: app.port })).status, 200)
  const told = await app.record('the warning', ({ msg }) => msg.includes('systemd-notify failed'))
  assert.equal(told.level, 40)
  app.kill('SIGUSR2')
  await app.event('reload:finished')
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
  assert.equal(app.records.filter(({ msg }) => msg.includes('systemd-notify')).length, 1)
})
