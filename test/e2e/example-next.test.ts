import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { App } from '../harness/app.ts'
import { get } from '../harness/http.ts'
import { until } from '../harness/until.ts'

const NEXT = fileURLToPath(new URL('../../examples/nextjs/', import.meta.url))

before(() => {
  if (writtenAt('node_modules/.package-lock.json') < writtenAt('package-lock.json')) {
    console.log('installing the dependencies of an example: npm ci --prefix examples/nextjs')
    npm('ci', '--prefix', NEXT)
  }
  npm('run', 'build', '--prefix', NEXT)
})

function writtenAt(name: string): number {
  return statSync(`${NEXT}${name}`, { throwIfNoEntry: false })?.mtimeMs ?? -1
}

function npm(...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync('npm', args, { encoding: 'utf8', env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' }, shell: process.platform === 'win32' })
  assert.equal(status, 0, `npm ${args.join(' ')}\n${stdout}${stderr}`)
}

test('nextjs: the standalone build answers from both workers, and all stop', async (t) => {
  const app = await App.ready(t, `${NEXT}.next/standalone/server.js`, { cwd: NEXT, env: { HOSTNAME: '127.0.0.1', NEXT_TELEMETRY_DISABLED: '1' } })
  const pids = new Set<number>()
  await until('both workers have answered', async () => {
    const responses = await Promise.all(Array.from({ length: 8 }, () => get({ port: app.port }, '/api/hello')))
    for (const { status, body } of responses) {
      assert.equal(status, 200)
      pids.add((JSON.parse(body) as { readonly pid: number }).pid)
    }
    return pids.size === 2
  })
  assert.deepEqual(pids, new Set(app.workerPids()))

  const page = await get({ port: app.port })
  assert.equal(page.status, 200)
  assert.match(page.body, /<h1>hello from process (?:<!-- -->)?\d+<\/h1>/)

  assert.deepEqual(await app.stop(), { code: 0, signal: null }, app.transcript)
  assert.deepEqual(app.leftovers(), [])
  const exits = app.records.filter(({ event }) => event === 'worker:exited')
  assert.deepEqual(exits.map(({ kind }) => kind), ['retired', 'retired'], app.transcript)
})
