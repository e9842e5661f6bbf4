/** Workers that are not well: hanging, too large, worn. `docs/reliability.md` promises what is shown here. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { test } from 'node:test'
import { App } from '../harness/app.ts'
import { Connection, get, RequestLost } from '../harness/http.ts'
import { isAlive } from '../harness/processes.ts'

const HANG = { options: ['--hang-timeout', '1s'] }

/** Pid of the worker that answers next on a connection of its own. */
const pidOf = (body: string): number => (JSON.parse(body) as { readonly pid: number }).pid

/** Has a worker hang; fulfilled when it is gone. */
async function hang(app: App, path = '/hang'): Promise<void> {
  const connection = await Connection.open({ port: app.port })
  await assert.rejects(connection.request(path), RequestLost)
  connection.close()
}

test('a worker in a loop without end is killed, its stack is in the log, and it is replaced; others serve on', async (t) => {
  const app = await App.ready(t, 'web.cjs', HANG)
  const lost = hang(app)
  await app.line(/^hanging/)
  const hungAt = performance.now()
  for (let count = 0; count < 20; count += 1) assert.equal((await get({ port: app.port }, '/')).status, 200)
  const stalled = await app.event('worker:stalled')
  const tookMs = performance.now() - hungAt
  assert.ok(tookMs >= 900, `not before its time: ${tookMs} ms`)
  assert.ok(Number(stalled['silentMs']) >= 1000)
  const exited = await app.event('worker:exited')
  assert.equal(exited['killReason'], 'stalled')
  await app.line(/at .*\/hang .*web\.cjs:\d+/)
  await app.event('worker:ready', ({ slot }) => slot === stalled.slot, 2)
  await lost
  assert.equal(app.records.filter(({ event }) => event === 'worker:exited').length, 1)
})

test('a stopped worker is killed like one that hangs', async (t) => {
  const app = await App.ready(t, 'web.cjs', HANG)
  const [pid = -1] = app.workerPids()
  process.kill(pid, 'SIGSTOP')
  const exited = await app.event('worker:exited')
  assert.deepEqual([exited['killReason'], exited['signal']], ['stalled', 'SIGKILL'])
  await app.event('worker:ready', ({ slot }) => slot === exited.slot, 2)
})

test('a worker that is stopped for less than the hang timeout and continued is left alone', async (t) => {
  const app = await App.ready(t, 'web.cjs', { options: ['--hang-timeout', '3s'] })
  const [pid = -1] = app.workerPids()
  process.kill(pid, 'SIGSTOP')
  await wait(1000)
  process.kill(pid, 'SIGCONT')
  const answers = await Promise.all(Array.from({ length: 8 }, async () => get({ port: app.port }, '/slow?ms=2500')))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  assert.deepEqual(app.records.filter(({ event }) => event === 'worker:exited'), [])
})

test('long requests and computations below the limit are left alone', async (t) => {
  const app = await App.ready(t, 'web.cjs', HANG)
  const answers = await Promise.all([get({ port: app.port }, '/slow?ms=2500'), get({ port: app.port }, '/block?ms=700')])
  assert.deepEqual(answers.map(({ status }) => status), [200, 200])
  assert.deepEqual(app.records.filter(({ event }) => event === 'worker:stalled'), [])
})

test('a supervisor that was stopped for longer than the hang timeout blames nobody', async (t) => {
  const app = await App.ready(t, 'web.cjs', HANG)
  const pids = app.workerPids()
  app.kill('SIGSTOP')
  await wait(2500)
  assert.equal((await get({ port: app.port }, '/')).status, 200)
  app.kill('SIGCONT')
  // Two rounds of its vigil, and more.
  await wait(600)
  assert.deepEqual(app.records.filter(({ event }) => event === 'worker:exited'), [])
  assert.ok(pids.every(isAlive))
})

test('--hang-timeout 0 leaves a hanging worker alone', async (t) => {
  const app = await App.ready(t, 'web.cjs', { options: ['--hang-timeout', '0'] })
  await get({ port: app.port }, '/block?ms=1500')
  assert.deepEqual(app.records.filter(({ event }) => event === 'worker:stalled'), [])
})

test('with --max-requests workers are replaced one at a time, start first, and no request is lost', async (t) => {
  const app = await App.ready(t, 'web.cjs', { options: ['--max-requests', '60'] })
  const old = app.workerPids()
  const seen = new Set<number>()
  const over = new AbortController()
  const clients = Array.from({ length: 4 }, async () => {
    let connection = await Connection.open({ port: app.port })
    while (!over.signal.aborted) {
      const { headers, body } = await connection.request('/slow?ms=3')
      seen.add(pidOf(body))
      if (headers['connection'] !== 'close') continue
      connection.close()
      connection = await Connection.open({ port: app.port })
    }
    connection.close()
  })
  const worn = await app.event('worker:worn')
  assert.equal(worn['why'], 'requests')
  const retired = await app.event('worker:exited', () => true, 2)
  over.abort()
  await Promise.all(clients)
  assert.equal(retired['kind'], 'retired')
  assert.ok([...seen].some((pid) => !old.includes(pid)))
  const steps = app.records.filter(({ event }) => event === 'worker:ready' || event === 'worker:draining').map(({ event }) => event).slice(2)
  assert.equal(steps[0], 'worker:ready', 'the new one is ready before the old one drains')
  assert.deepEqual(app.records.filter(({ event, phase }) => event === 'primary:phase' && phase === 'degraded'), [])
})

test('with --max-memory a worker that has grown is replaced and finishes what it has; one that grows on is killed', async (t) => {
  const app = await App.ready(t, 'web.cjs', { options: ['--max-memory', '120M'] })
  const pids = app.workerPids()
  const slow = await Connection.open({ port: app.port })
  const pid = pidOf((await slow.request('/grow?mb=100')).body)
  const answer = slow.request('/slow?ms=1000')
  const worn = await app.event('worker:worn')
  assert.deepEqual([worn['why'], pids[worn.slot ?? -1]], ['memory', pid])
  assert.equal((await answer).status, 200)
  slow.close()
  await app.event('worker:exited', ({ kind }) => kind === 'retired')
  const greedy = await Connection.open({ port: app.port })
  const fate = await greedy.request('/grow?mb=260').then(async () => greedy.request('/slow?ms=5000')).catch((error: unknown) => error)
  assert.ok(fate instanceof RequestLost)
  await app.event('worker:exited', ({ killReason }) => killReason === 'memory')
})

test('a recycled worker whose replacement cannot boot serves on', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const app = await App.ready(t, 'web.cjs', { workers: 1, options: ['--max-requests', '3'], env: { BOOTS_ONCE: join(directory, 'booted') } })
  const [pid = -1] = app.workerPids()
  for (let count = 0; count < 5; count += 1) await get({ port: app.port }, '/')
  await app.event('worker:exited', ({ kind }) => kind === 'boot-failure')
  assert.ok(isAlive(pid))
  assert.equal(pidOf((await get({ port: app.port }, '/')).body), pid)
})
