import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { App, fixture, freePort, type LogRecord } from '../harness/app.ts'
import { Connection, get, RequestLost } from '../harness/http.ts'
import { listeningInodes } from '../harness/listening-sockets.ts'
import { hasSystemd, notifySocket } from '../harness/notify-socket.ts'
import { isAlive } from '../harness/processes.ts'
import { Program } from '../harness/program.ts'
import { hasReusePort } from '../harness/reuse-port.ts'
import { visitHttps } from '../harness/secure-clients.ts'
import { slotsOf } from '../harness/sticky.ts'
import { until } from '../harness/until.ts'

type Target = Parameters<typeof get>[0]

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A record of any of the supervisors: their output is one. */
async function nth(app: App, event: string, count = 1): Promise<LogRecord> {
  const found = (): LogRecord | undefined => app.records.filter((record) => record.event === event)[count - 1]
  await until(`${event}, ${count} times`, () => found() !== undefined, 30_000).catch((error: Error) => {
    throw new Error(`${error.message}\n${app.transcript}`)
  })
  return found() as LogRecord
}

/** Upgrades the supervisor with that pid; gives the pid of the one that has taken over, when the other has ended. */
async function upgrade(app: App, pid: number, count = 1): Promise<number> {
  process.kill(pid, 'SIGURG')
  const { successorPid } = await nth(app, 'upgrade:finished', count)
  await until('the old supervisor has ended', () => !isAlive(pid), 30_000)
  return Number(successorPid)
}

/** Ends the last supervisor, and with it the output. */
async function stop(app: App, pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM')
  assert.deepEqual(await app.ended, { code: 0, signal: null }, 'the first one')
}

/** Clients that never pause, each request with exactly one fate: 8 on connections that they keep, 4 on fresh ones. */
async function hammer(target: Target, isOver: () => boolean): Promise<Readonly<Record<string, number>>> {
  const fates: Record<string, number> = {}
  const note = (fate: string): void => void (fates[fate] = (fates[fate] ?? 0) + 1)
  const noteError = (error: unknown): void => note(error instanceof RequestLost ? error.fate : String(error))
  const keepAlive = async (): Promise<void> => {
    let connection: Connection | undefined
    while (!isOver()) {
      try {
        connection ??= await Connection.open(target)
        const response = await connection.request('/slow?ms=2')
        note(response.status === 200 ? 'ok' : String(response.status))
        if (response.headers['connection'] !== 'close') continue
      } catch (error) {
        noteError(error)
      }
      connection?.close()
      connection = undefined
    }
    connection?.close()
  }
  const fresh = async (): Promise<void> => {
    while (!isOver()) await get(target, '/').then(({ status }) => note(status === 200 ? 'ok' : String(status)), noteError)
  }
  await Promise.all([...Array.from({ length: 8 }, keepAlive), ...Array.from({ length: 4 }, fresh)])
  return fates
}

/** Upgrades so often under load, and holds that each request was answered. Gives the pid of the last supervisor. */
async function upgradeUnderLoad(app: App, target: Target, times: number): Promise<number> {
  let isOver = false
  const load = hammer(target, () => isOver)
  let pid = app.pid
  for (let count = 1; count <= times; count += 1) pid = await upgrade(app, pid, count)
  isOver = true
  const fates = await load
  assert.deepEqual(Object.keys(fates), ['ok'], JSON.stringify(fates))
  assert.ok((fates['ok'] ?? 0) > 100)
  return pid
}

test('four upgrades under clients that never pause lose no request, and the socket stays the same', async (t) => {
  const app = await App.ready(t, 'web.cjs')
  const before = listeningInodes(app.port)
  const pid = await upgradeUnderLoad(app, { port: app.port }, 4)
  assert.deepEqual(listeningInodes(app.port), before)
  assert.notEqual(pid, app.pid)
  assert.equal(app.child.exitCode, 0)
  await stop(app, pid)
})

test('three upgrades on a unix socket lose no request; the file stays until the last supervisor stops', async (t) => {
  const path = join(scratch(t), 'app.sock')
  const app = await App.ready(t, 'web.cjs', { env: { LISTEN_PATH: path } })
  const pid = await upgradeUnderLoad(app, { path }, 3)
  assert.equal((await get({ path })).status, 200)
  await stop(app, pid)
  assert.equal(existsSync(path), false)
})

test('with round-robin, where the supervisor accepts, an upgrade loses no request', async (t) => {
  const app = await App.ready(t, 'web.cjs', { options: ['--balance', 'round-robin'] })
  await stop(app, await upgradeUnderLoad(app, { port: app.port }, 2))
})

test('with a socket for each slot an upgrade loses no request', { skip: !hasReusePort && 'Node 20 cannot' }, async (t) => {
  const app = await App.ready(t, 'web.cjs', { options: ['--balance', 'reuseport'], workers: 3 })
  await stop(app, await upgradeUnderLoad(app, { port: app.port }, 2))
})

test('an app that listens in every shape is reached on all of them after an upgrade', async (t) => {
  const path = join(scratch(t), 'app.sock')
  const env = { PORT_2: String(await freePort()), PORT_3: String(await freePort()), PORT_4: String(await freePort()), SOCKET_PATH: path }
  const app = await App.ready(t, 'several.cjs', { env })
  const anyPort = Number((await app.line(/^ANY /)).msg.split(' ')[1])
  const pid = await upgrade(app, app.pid)
  assert.match((await get({ port: app.port })).body, /^first/)
  assert.match((await get({ port: Number(env.PORT_2) })).body, /^v4/)
  assert.match((await get({ path })).body, /^path/)
  assert.match((await get({ port: anyPort })).body, /^any/, 'the port that listen(0) gave')
  await stop(app, pid)
})

test('TLS sessions resume after an upgrade', async (t) => {
  const env = { PORT_2: String(await freePort()), PORT_3: String(await freePort()), PORT_4: String(await freePort()) }
  const app = await App.ready(t, 'secure.cjs', { env, workers: 1 })
  const { session } = await visitHttps(app.port, undefined)
  const pid = await upgrade(app, app.pid)
  assert.equal((await visitHttps(app.port, session)).reused, true)
  await stop(app, pid)
})

test('clients that are known by a header belong to the same slots after an upgrade', async (t) => {
  const app = await App.ready(t, 'sticky.cjs', { options: ['--sticky', 'header:x-client'], workers: 3 })
  const names = Array.from({ length: 12 }, (_, index) => `client-${index}`)
  const before = await slotsOf({ port: app.port }, names)
  const pid = await upgrade(app, app.pid)
  assert.deepEqual(await slotsOf({ port: app.port }, names), before)
  await stop(app, pid)
})

test('a new version that throws is not taken: the old supervisor goes on and says why, and a good one is taken later', async (t) => {
  const path = join(scratch(t), 'app.sock')
  const script = join(scratch(t), 'server.cjs')
  copyFileSync(fixture('web.cjs'), script)
  const app = await App.ready(t, script, { env: { LISTEN_PATH: path } })
  const workers = app.workerPids()
  writeFileSync(script, 'throw new Error("a bad release")')
  let isOver = false
  const load = hammer({ path }, () => isOver)
  app.kill('SIGURG')
  const aborted = await app.event('upgrade:aborted')
  assert.match(String(aborted['why']), /worker \d failed to start \(Error: a bad release\)/)
  const successor = Number((await nth(app, 'upgrade:started'))['successorPid'])
  await until('the new one has ended', () => !isAlive(successor))
  isOver = true
  assert.deepEqual(Object.keys(await load), ['ok'])
  assert.ok(workers.every(isAlive))
  assert.ok(existsSync(path), 'the file is the old one’s')
  copyFileSync(fixture('web.cjs'), script)
  const pid = await upgrade(app, app.pid)
  assert.equal((await get({ path })).status, 200)
  await stop(app, pid)
})

test('a new version whose app listens elsewhere on the same port is not taken', async (t) => {
  const script = join(scratch(t), 'server.cjs')
  const listen = (where: string): void => writeFileSync(script, `require('node:http').createServer((_, response) => response.end('ok')).listen(process.env.PORT${where})`)
  listen('')
  const app = await App.ready(t, script)
  listen(`, '127.0.0.1'`)
  app.kill('SIGURG')
  assert.match(String((await app.event('upgrade:aborted'))['why']), /EADDRINUSE/)
  assert.equal((await get({ port: app.port })).body, 'ok')
  assert.equal((await app.stop()).code, 0)
})

test('a second upgrade and a stop while one is under way: the one is refused, the other ends both', async (t) => {
  const script = join(scratch(t), 'server.cjs')
  copyFileSync(fixture('web.cjs'), script)
  const app = await App.ready(t, script)
  writeFileSync(script, 'setInterval(() => {}, 1000)')
  app.kill('SIGURG')
  const successor = Number((await app.event('upgrade:started'))['successorPid'])
  app.kill('SIGURG')
  await app.record('the refusal', ({ msg }) => msg === 'cannot upgrade: an upgrade is under way')
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
  assert.match(String((await app.event('upgrade:aborted'))['why']), /this supervisor stops/)
  assert.equal(isAlive(successor), false)
})

test('a supervisor that is killed while its successor starts is succeeded all the same', async (t) => {
  const path = join(scratch(t), 'app.sock')
  const script = join(scratch(t), 'server.cjs')
  copyFileSync(fixture('web.cjs'), script)
  const app = await App.ready(t, script, { env: { LISTEN_PATH: path }, options: ['--graceful-timeout', '2s'] })
  app.kill('SIGURG')
  const successor = Number((await app.event('upgrade:started'))['successorPid'])
  app.kill('SIGKILL')
  const workers = app.workerPids()
  await until('the workers of the old one have ended', () => !workers.some(isAlive))
  await nth(app, 'primary:started', 2)
  assert.equal((await get({ path })).status, 200)
  process.kill(successor, 'SIGTERM')
  await app.ended
  assert.equal(existsSync(path), false, 'it is the owner now')
})

test('requests in flight at an upgrade are answered by the old workers', async (t) => {
  const app = await App.ready(t, 'web.cjs')
  const slow = await Connection.open({ port: app.port })
  slow.send('/slow?ms=3000')
  await until('it is under way', () => slow.socket.bytesWritten > 0)
  const pid = await upgrade(app, app.pid)
  const response = await slow.receive()
  assert.equal(response.headers['connection'], 'close')
  assert.notEqual((JSON.parse(response.body) as { pid: number }).pid, (JSON.parse((await get({ port: app.port })).body) as { pid: number }).pid)
  await stop(app, pid)
})

test('systemd is told of the new main process, by the old one, and then hears only the new one', { skip: hasSystemd ? false : 'systemd is not installed' }, async (t) => {
  const notify = await notifySocket(t)
  const app = await App.ready(t, 'web.cjs', { env: { NOTIFY_SOCKET: notify.path, WATCHDOG_USEC: '600000', WATCHDOG_PID: '' } })
  await notify.message({ READY: '1' })
  const pid = await upgrade(app, app.pid)
  const main = await notify.message({ MAINPID: String(pid) })
  assert.equal(main.fields['READY'], '1')
  const after = (): readonly Readonly<Record<string, string>>[] => notify.messages.slice(notify.messages.indexOf(main) + 1).map(({ fields }) => fields)
  await until('the new one feeds the watchdog', () => after().filter(({ WATCHDOG }) => WATCHDOG === '1').length > 1)
  assert.equal(after().some(({ STOPPING }) => STOPPING !== undefined), false, 'the end of the old one is not the end of the service')
  assert.equal(after().some(({ STATUS }) => STATUS === '2 of 2 workers serve, generation 1'), true)
  await stop(app, pid)
  await notify.message({ STOPPING: '1' })
})

test('an upgrade that systemd cannot be told of is aborted', async (t) => {
  const app = await App.ready(t, 'web.cjs', { env: { NOTIFY_SOCKET: join(scratch(t), 'nobody') }, workers: 1 })
  app.kill('SIGURG')
  assert.match(String((await app.event('upgrade:aborted'))['why']), /systemd could not be told/)
  assert.equal((await get({ port: app.port })).status, 200)
  assert.equal((await app.stop()).code, 0)
})

test('sockets of systemd are had by the successor as well', { skip: hasSystemd ? false : 'systemd is not installed' }, async (t) => {
  const port = await freePort()
  const app = await App.start(t, 'web.cjs', { env: { PORT: String(port) }, through: (variables) => ['systemd-socket-activate', '-l', String(port), ...variables.flatMap((name) => ['-E', name])] })
  await app.record('it listens', ({ msg }) => msg.startsWith('Listening on '))
  await get({ port })
  await app.event('primary:started')
  const inodes = listeningInodes(port)
  const pid = await upgradeUnderLoad(app, { port }, 2)
  assert.deepEqual(listeningInodes(port), inodes)
  await stop(app, pid)
})

test('the library: a program is succeeded by a program', async (t) => {
  const port = await freePort()
  const directory = scratch(t)
  const program = Program.start(
    t,
    `
    const supervisor = await createSupervisor({ script: 'web.cjs', workers: 1, port: ${port} })
    process.once('SIGTERM', () => supervisor.stop())
    await supervisor.start()
    report('started', process.pid)
    if (process.env.FIRST) {
      const { writeFileSync } = await import('node:fs')
      writeFileSync('${directory}/slow.mjs', 'setInterval(() => {}, 1000)')
      await supervisor.upgrade({ args: ['${directory}/slow.mjs'], timeoutMs: 300 }).catch(({ code, why }) => report('late', [code, why]))
      await supervisor.upgrade({ command: '${directory}/missing' }).catch(({ code, why }) => report('missing', [code, why]))
      await supervisor.upgrade({ args: ['-e', 'process.exit(7)'] }).catch(({ code, why }) => report('ended', [code, why]))
      delete process.env.FIRST
      await supervisor.upgrade()
      report('upgraded', supervisor.snapshot.phase)
      await supervisor.done
      report('done', supervisor.snapshot.phase)
    }
  `,
    { FIRST: '1' },
  )
  assert.deepEqual(await program.report('late'), ['ERR_EVERYCORE_UPGRADE', 'its workers were not ready within 0.3 s'])
  const ended = ['ERR_EVERYCORE_UPGRADE', 'it ended before its workers were ready; what it wrote says more']
  assert.deepEqual(await program.report('missing'), ended)
  assert.deepEqual(await program.report('ended'), ended)
  await program.report('done')
  const successor = Number(await program.report('started', 2))
  assert.notEqual(successor, program.child.pid)
  assert.equal((await get({ port })).status, 200)
  process.kill(successor, 'SIGTERM')
  assert.equal(await program.ended, 0)
})

test('where the load says how many workers there are, the new supervisor begins with as many as the old one had', async (t) => {
  const app = await App.ready(t, 'web.cjs', { options: ['-w', '1-3'] })
  app.kill('SIGTTIN')
  await app.event('worker:ready', ({ slot }) => slot === 1)
  const successor = await upgrade(app, app.pid)
  assert.equal((await nth(app, 'primary:started', 2))['size'], 2)
  await stop(app, successor)
})
