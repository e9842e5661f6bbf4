/** Workers that get no traffic before they have answered: `--probe` and `--warm-up`. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { App } from '../harness/app.ts'
import { get, RequestLost } from '../harness/http.ts'
import { isAlive } from '../harness/processes.ts'

/** Unhealthy as long as there is a file; says on stdout what it is asked. */
const SERVER = `
const { existsSync } = require('node:fs')
const handle = (request, response) => {
  console.log('asked for ' + request.url)
  const isIll = request.url === '/healthz' && existsSync(__dirname + '/ill' + process.env.EVERYCORE_GENERATION)
  response.writeHead(isIll ? 503 : 200).end(String(process.pid))
}
const { key, cert } = process.env.TLS ? JSON.parse(process.env.TLS) : {}
const server = process.env.TLS ? require('node:https').createServer({ key, cert }, handle) : require('node:http').createServer(handle)
server.listen(process.env.PORT, () => console.log('listening'))
`

function release(t: TestContext): { readonly script: string; readonly ill: (generation: number) => void; readonly well: (generation: number) => void } {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const script = join(directory, 'server.cjs')
  writeFileSync(script, SERVER)
  return {
    script,
    ill: (generation) => writeFileSync(join(directory, `ill${generation}`), ''),
    well: (generation) => rmSync(join(directory, `ill${generation}`)),
  }
}

const WAYS: readonly (readonly string[])[] = [[], ['--sticky', 'cookie'], ['--sticky', 'header:x-client'], ['--balance', 'shared'], ['--balance', 'round-robin'], ['--sticky', 'ip']]

for (const options of WAYS) {
  test(`a worker accepts nothing before it has passed the probe: ${options.join(' ') || 'by default'}`, async (t) => {
    const { script, ill, well } = release(t)
    ill(1)
    const app = await App.start(t, script, { options: ['--probe', '/healthz', ...options] })
    const failed = await app.event('probe:failed')
    assert.match(failed.msg, /worker \d does not pass the probe \/healthz: it answered with status 503/)
    await app.line(/^listening/, 2)
    if (!options.includes('round-robin') && !options.includes('ip')) await assert.rejects(get({ port: app.port }), RequestLost, 'the port is not open yet')
    assert.deepEqual(app.records.filter(({ event }) => event === 'worker:ready'), [])
    well(1)
    await app.event('primary:started')
    assert.equal((await get({ port: app.port }, '/after')).status, 200)
    const probed = new Set(app.records.filter(({ msg }) => msg === 'asked for /healthz').map(({ slot }) => slot))
    assert.deepEqual([...probed].map(Number).sort((a, b) => a - b), [0, 1], 'each was asked itself')
    assert.deepEqual(await app.stop(), { code: 0, signal: null })
  })
}

test('a release that does not pass the probe is refused, and gets no request but that', async (t) => {
  const { script, ill } = release(t)
  const app = await App.ready(t, script, { options: ['--probe', '/healthz', '--ready-timeout', '1s'] })
  const pids = app.workerPids()
  ill(2)
  app.kill('SIGUSR2')
  const aborted = app.event('reload:aborted')
  let isOver = false
  void aborted.then(() => (isOver = true))
  const ask = async (): Promise<void> => {
    const { body } = await get({ port: app.port }, '/traffic')
    assert.ok(pids.includes(Number(body)))
    if (!isOver) await ask()
  }
  await ask()
  assert.match((await aborted).msg, /slot 0 \(ready-timeout/)
  assert.ok(pids.every(isAlive))
})

test('requests that warm a worker up come before the probe, and before any other', async (t) => {
  const { script } = release(t)
  const app = await App.ready(t, script, { workers: 1, options: ['--warm-up', '/first', '--warm-up', '/second?x=1', '--probe', '/healthz'] })
  await get({ port: app.port }, '/traffic')
  await app.line(/traffic/)
  assert.deepEqual(app.output.filter((line) => line.startsWith('asked')), ['asked for /first', 'asked for /second?x=1', 'asked for /healthz', 'asked for /traffic'])
})

test('an app that has no server which could be asked does not become ready, and is told why', async (t) => {
  const app = await App.start(t, 'queue-worker.mjs', { options: ['--probe', '/healthz', '--ready-timeout', '1s'], workers: 1 })
  const failed = await app.event('probe:failed')
  assert.ok(failed.msg.length > 0)
  assert.equal((await app.ended).code, 3)
})
