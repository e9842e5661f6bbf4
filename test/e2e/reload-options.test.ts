/** What a reload reads anew, how many it replaces at a time, and how it judges the first new worker. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { App } from '../harness/app.ts'
import { get } from '../harness/http.ts'
import { isAlive } from '../harness/processes.ts'

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Answers with what RELEASE is when it starts: a status, and how long a request keeps the event loop busy. */
const RELEASE = `
const [status, busyMs] = (process.env.RELEASE ?? '200 0').split(' ').map(Number)
require('node:http').createServer((request, response) => {
  const end = performance.now() + busyMs
  while (performance.now() < end);
  response.writeHead(status).end(process.env.RELEASE)
}).listen(process.env.PORT)
`

function writeRelease(t: TestContext): { readonly script: string; readonly envFile: string; readonly set: (release: string) => void } {
  const directory = scratch(t)
  const script = join(directory, 'server.cjs')
  const envFile = join(directory, 'env')
  writeFileSync(script, RELEASE)
  const set = (release: string): void => writeFileSync(envFile, `RELEASE=${release}\n`)
  set('200 0')
  return { script, envFile, set }
}

test('a reload reads env files anew', async (t) => {
  const { script, envFile, set } = writeRelease(t)
  const app = await App.ready(t, script, { options: ['--env-file', envFile, '--min-uptime', '0'] })
  set('202 0')
  app.kill('SIGUSR2')
  await app.event('reload:finished')
  assert.equal((await get({ port: app.port })).status, 202)
})

test('a reload whose settings are no good any more is refused before anything is started', async (t) => {
  const { script, envFile, set } = writeRelease(t)
  const app = await App.ready(t, script, { options: ['--env-file', envFile] })
  const pids = app.workerPids()
  writeFileSync(envFile, 'not a line of an env file\n')
  app.kill('SIGUSR2')
  const refused = await app.event('reload:refused')
  assert.match(refused.msg, /the reload was refused: .*env.*1/)
  rmSync(envFile)
  app.kill('SIGUSR2')
  await app.event('reload:refused', () => true, 2)
  assert.deepEqual(app.workerPids(), pids)
  assert.ok(pids.every(isAlive))
  assert.equal(app.records.filter(({ event }) => event === 'worker:spawned').length, 2)
  set('203 0')
  app.kill('SIGUSR2')
  await app.event('reload:finished')
  assert.equal((await get({ port: app.port })).status, 203)
})

test('a script that is gone refuses the reload, and the old workers serve on', async (t) => {
  const { script } = writeRelease(t)
  const app = await App.ready(t, script)
  rmSync(script)
  app.kill('SIGUSR2')
  await app.event('reload:refused')
  assert.equal((await get({ port: app.port })).status, 200)
})

test('with --surge several workers are replaced at a time, once the first is proven', async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 4, options: ['--surge', '100%', '--min-uptime', '200ms'] })
  app.kill('SIGUSR2')
  await app.event('reload:finished')
  const steps = app.records.filter(({ event }) => event === 'worker:spawned' || event === 'worker:draining').map(({ event, slot }) => `${event?.slice(7)} ${slot}`).slice(4)
  assert.deepEqual(steps.slice(0, 2), ['spawned 0', 'draining 0'], 'the first goes alone')
  assert.deepEqual(steps.slice(2, 5).sort(), ['spawned 1', 'spawned 2', 'spawned 3'], 'then all others at once')
})

async function askUntil(app: App, over: Promise<unknown>): Promise<void> {
  let isOver = false
  const end = over.finally(() => (isOver = true))
  const client = async (): Promise<void> => {
    if (isOver) return
    await get({ port: app.port })
    await client()
  }
  await Promise.all([end, client(), client()])
}

test('with --canary a release that answers with errors is taken back', async (t) => {
  const { script, envFile, set } = writeRelease(t)
  const app = await App.ready(t, script, { options: ['--env-file', envFile, '--canary', '15s'] })
  const pids = app.workerPids()
  set('500 0')
  app.kill('SIGUSR2')
  await askUntil(app, app.event('reload:aborted'))
  assert.match(app.records.find(({ event }) => event === 'reload:aborted')?.msg ?? '', /unfit: 100 % of its \d+ requests failed/)
  await app.event('worker:exited', ({ generation }) => generation === 2)
  assert.ok(pids.every(isAlive))
})

test('with --canary a release that does as well as the old one is taken when its time has come', async (t) => {
  const { script, envFile } = writeRelease(t)
  const app = await App.ready(t, script, { workers: 1, options: ['--env-file', envFile, '--canary', '2s', '--min-uptime', '0'], env: { RELEASE: '503 0' } })
  for (let count = 0; count < 20; count += 1) assert.equal((await get({ port: app.port })).status, 503)
  app.kill('SIGUSR2')
  await askUntil(app, app.event('reload:finished'))
  const finished = app.records.find(({ event }) => event === 'reload:finished')
  assert.ok(Number(finished?.['tookMs']) >= 2000)
})

test('bad values of the new options are told with what is allowed', async (t) => {
  for (const [options, said] of [
    [['--surge', '0'], /--surge.*a number of workers: use 1 or more/],
    [['--canary', 'soon'], /--canary.*a duration/],
    [['--hang-timeout', '10ms'], /--hang-timeout.*500ms or more/],
    [['--max-memory', '1M'], /--max-memory.*16M or more/],
    [['--max-requests', '0'], /--max-requests.*1 or more/],
    [['--max-lifetime', '1s'], /--max-lifetime.*10s or more/],
  ] as const) {
    const app = await App.start(t, 'web.cjs', { options })
    assert.deepEqual(await app.ended, { code: 2, signal: null })
    assert.match(app.transcript, said)
  }
})
