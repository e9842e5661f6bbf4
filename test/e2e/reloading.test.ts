import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { App, fixture } from '../harness/app.ts'
import { Connection, get, RequestLost } from '../harness/http.ts'
import { isAlive } from '../harness/processes.ts'

function release(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  copyFileSync(fixture('web.cjs'), join(directory, 'server.cjs'))
  return join(directory, 'server.cjs')
}

/** Clients that never pause; each request has exactly one fate. */
async function hammer(port: number, until: () => boolean): Promise<Readonly<Record<string, number>>> {
  const fates: Record<string, number> = { ok: 0 }
  const note = (error: unknown): void => {
    const fate = error instanceof RequestLost ? error.fate : String(error)
    fates[fate] = (fates[fate] ?? 0) + 1
  }
  const keepAlive = async (): Promise<void> => {
    let connection: Connection | undefined
    while (!until()) {
      try {
        connection ??= await Connection.open({ port })
        const response = await connection.request('/slow?ms=2')
        fates['ok'] = (fates['ok'] ?? 0) + 1
        if (response.headers['connection'] !== 'close') continue
      } catch (error) {
        note(error)
      }
      connection?.close()
      connection = undefined
    }
    connection?.close()
  }
  const fresh = async (): Promise<void> => {
    while (!until()) {
      await get({ port }, '/').then(() => (fates['ok'] = (fates['ok'] ?? 0) + 1), note)
    }
  }
  await Promise.all([...Array.from({ length: 16 }, keepAlive), ...Array.from({ length: 4 }, fresh)])
  return fates
}

test('three reloads under clients that never pause lose no request', async (t) => {
  const app = await App.ready(t, release(t))
  let over = false
  const load = hammer(app.port, () => over)
  for (let nth = 1; nth <= 3; nth += 1) {
    app.kill(nth % 2 === 0 ? 'SIGHUP' : 'SIGUSR2')
    await app.event('reload:finished', () => true, nth)
  }
  over = true
  const fates = await load
  assert.deepEqual(Object.keys(fates), ['ok'], JSON.stringify(fates))
  assert.ok((fates['ok'] ?? 0) > 100)
  assert.equal((JSON.parse((await get({ port: app.port })).body) as { generation: string }).generation, '4')
})

test('a release that throws is refused: the old workers go on, and a later good one is taken', async (t) => {
  const script = release(t)
  const app = await App.ready(t, script)
  const before = app.workerPids()
  writeFileSync(script, 'throw new Error("a bad release")')
  app.kill('SIGUSR2')
  const { msg, lastLines } = await app.event('reload:aborted')
  assert.match(msg, /^reload aborted at slot 0 \(boot-failure: Error: a bad release\): the old workers go on serving\. The last lines of the new one:\n/)
  assert.match(msg, /^ {2}throw new Error\("a bad release"\)$/m)
  assert.ok((lastLines as readonly string[]).includes('Error: a bad release'))
  const { body } = await get({ port: app.port })
  const { pid, generation } = JSON.parse(body) as { pid: number; generation: string }
  assert.equal(generation, '1')
  assert.ok(before.includes(pid))
  copyFileSync(fixture('web.cjs'), script)
  app.kill('SIGUSR2')
  await app.event('reload:finished')
  assert.equal((JSON.parse((await get({ port: app.port })).body) as { generation: string }).generation, '3')
})

test('a generation keeps the release that its link pointed to when it started', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const releases = ['good', 'bad', 'better'].map((name) => join(directory, name))
  const current = join(directory, 'current')
  for (const path of releases) {
    mkdirSync(path)
    const text = path.endsWith('bad') ? 'throw new Error("a bad release")' : `require('node:http').createServer((request, response) => response.end('${path} ' + process.argv[1])).listen(process.env.PORT)`
    writeFileSync(join(path, 'server.cjs'), text)
  }
  const [good = '', bad = '', better = ''] = releases
  const pointTo = (path: string): void => {
    rmSync(current, { force: true })
    symlinkSync(path, current)
  }
  pointTo(good)
  const app = await App.ready(t, join(current, 'server.cjs'), { workers: 1 })
  pointTo(bad)
  app.kill('SIGUSR2')
  await app.event('reload:aborted')
  for (const { workerPid } of app.records.filter(({ event, generation }) => event === 'worker:spawned' && generation === 1)) {
    if (workerPid !== undefined && isAlive(workerPid)) process.kill(workerPid, 'SIGKILL')
  }
  const asTyped = join(current, 'server.cjs')
  assert.equal((await get({ port: app.port })).body, `${good} ${asTyped}`, 'the successor runs the old release')
  pointTo(better)
  app.kill('SIGUSR2')
  await app.event('reload:finished')
  assert.equal((await get({ port: app.port })).body, `${better} ${asTyped}`)
})

test('SIGTERM during a reload wins', async (t) => {
  const app = await App.ready(t, release(t))
  app.kill('SIGUSR2')
  await app.event('reload:started')
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
  await app.event('reload:aborted')
})
