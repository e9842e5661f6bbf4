/** Booted workers that wait to take the place of one that ends. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL, fileURLToPath } from 'node:url'
import { test, type TestContext } from 'node:test'
import { App } from '../harness/app.ts'
import { get } from '../harness/http.ts'
import { isAlive } from '../harness/processes.ts'

const API = pathToFileURL(fileURLToPath(new URL('../../dist/worker.js', import.meta.url))).href
const BOOT_MS = 1000

/** Takes a second to boot. Tells which slot it has, in each of the ways that an app can ask. */
const SLOW = `
import { createServer } from 'node:http'
import * as everycore from '${API}'
const seen = [process.env.EVERYCORE_SLOT ?? null, everycore.slot]
const end = Date.now() + ${BOOT_MS}
while (Date.now() < end);
console.log('booted')
createServer((request, response) => {
  response.end(JSON.stringify({ pid: process.pid, early: seen, late: [process.env.EVERYCORE_SLOT, process.env.NODE_APP_INSTANCE, everycore.slot], generation: process.env.EVERYCORE_GENERATION }))
}).listen(process.env.PORT)
process.on('SIGTERM', () => {
  console.log('own shutdown')
  process.exit()
})
`

interface Seen {
  readonly pid: number
  readonly early: readonly unknown[]
  readonly late: readonly unknown[]
  readonly generation: string
}

function slowApp(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const script = join(directory, 'server.mjs')
  writeFileSync(script, SLOW)
  return script
}

const ask = async (app: App): Promise<Seen> => JSON.parse((await get({ port: app.port })).body) as Seen

/** Pid of the spare that booted last, by the log. */
const sparePid = (app: App): number => app.records.findLast(({ event, slot }) => event === 'worker:spawned' && slot === -1)?.workerPid ?? -1

test('a spare takes the place of a killed worker at once, and the next one boots', async (t) => {
  const app = await App.ready(t, slowApp(t), { workers: 1, options: ['--spare', '1'] })
  await app.line(/^booted/, 2)
  const spare = sparePid(app)
  const [pid = -1] = app.workerPids().slice(-1)
  assert.equal((await ask(app)).pid, pid, 'the spare serves nobody')
  process.kill(pid, 'SIGKILL')
  const ready = await app.event('worker:ready', () => true, 2)
  assert.equal(ready.slot, 0)
  assert.ok(Number(ready['bootMs']) < BOOT_MS / 2, `${String(ready['bootMs'])} ms`)
  const answer = await ask(app)
  assert.deepEqual([answer.pid, answer.early, answer.late], [spare, [null, -1], ['0', '0', 0]])
  await app.line(/^booted/, 3)
  assert.notEqual(sparePid(app), spare)
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
  assert.equal(app.output.filter((line) => line === 'own shutdown').length, 2, 'the spare ends like the worker')
})

test('after a reload the spare is one of the new code', async (t) => {
  const app = await App.ready(t, slowApp(t), { workers: 1, options: ['--spare', '1', '--min-uptime', '0'] })
  await app.line(/^booted/, 2)
  const old = sparePid(app)
  app.kill('SIGUSR2')
  await app.event('reload:finished')
  await app.event('worker:exited', ({ slot }) => slot === -1)
  await app.line(/^booted/, 4)
  assert.ok(!isAlive(old))
  process.kill((await ask(app)).pid, 'SIGKILL')
  await app.event('worker:ready', () => true, 3)
  assert.equal((await ask(app)).generation, '2')
})

test('a spare that cannot boot harms nobody, and is tried again with back-off', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const app = await App.ready(t, 'web.cjs', { workers: 1, options: ['--spare', '1'], env: { BOOTS_ONCE: join(directory, 'booted') } })
  await app.event('worker:exited', ({ slot, kind }) => slot === -1 && kind === 'boot-failure')
  await app.event('worker:exited', ({ slot }) => slot === -1, 2)
  assert.equal((await get({ port: app.port })).status, 200)
  assert.deepEqual(app.records.filter(({ event, phase }) => event === 'primary:phase' && phase === 'degraded'), [])
})

test('--spare does not go with --inspect, and takes 0 to 16', async (t) => {
  for (const [options, said] of [
    [['--spare', '17'], /--spare.*use 0 to 16/],
    [['--spare', '1', '--inspect'], /the port of an inspector goes by the slot/],
  ] as const) {
    const app = await App.start(t, 'web.cjs', { options })
    assert.deepEqual(await app.ended, { code: 2, signal: null })
    assert.match(app.transcript, said)
  }
})
