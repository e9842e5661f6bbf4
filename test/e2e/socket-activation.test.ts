import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import * as net from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { App, CLI, freePort } from '../harness/app.ts'
import { get } from '../harness/http.ts'
import { hasSystemd } from '../harness/notify-socket.ts'
import { until } from '../harness/until.ts'

const options = { skip: hasSystemd ? false : 'systemd is not installed' }
/** Binds, and does not accept. */
const bound = net as unknown as { readonly _createServerHandle: (address: string, port: number, type: number) => { readonly fd: number; readonly close: () => void } }
const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ family }) => family === 'IPv6') === true)

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** systemd-socket-activate(1), which binds these places and becomes what it starts at the first connection. */
function activated(places: readonly (string | number)[], wrapper: readonly string[] = []): (variables: readonly string[]) => readonly string[] {
  return (variables) => ['systemd-socket-activate', ...places.flatMap((place) => ['-l', String(place)]), ...variables.flatMap((name) => ['-E', name]), ...wrapper]
}

/** Its sockets are bound. */
async function awaitsClients(app: App, count: number): Promise<void> {
  await app.record('it listens', ({ msg }) => msg.startsWith('Listening on '), count)
}

test('an app gets the sockets of systemd by the address that it listens on, and binds the others itself', options, async (t) => {
  const path = join(scratch(t), 'app.sock')
  const ports = { PORT_2: await freePort(), PORT_3: await freePort(), PORT_4: await freePort() }
  const port = await freePort()
  const env = { PORT: String(port), SOCKET_PATH: path, ...Object.fromEntries(Object.entries(ports).map(([name, value]) => [name, String(value)])) }
  const places = [port, `127.0.0.1:${ports.PORT_2}`, ...(hasIpv6 ? [`[::1]:${ports.PORT_3}`] : []), path]
  const app = await App.start(t, 'several.cjs', { env, through: activated(places) })
  await awaitsClients(app, places.length)
  assert.match((await get({ port })).body, /^first/, 'who came before it ran is answered')
  await app.event('primary:started')
  const reachAll = async (): Promise<void> => {
    assert.match((await get({ port })).body, /^first/)
    assert.match((await get({ port: ports.PORT_2 })).body, /^v4/)
    if (hasIpv6) assert.match((await get({ port: ports.PORT_3, host: '::1' })).body, /^v6/)
    assert.match((await get({ path })).body, /^path/)
    const socket = net.connect(ports.PORT_4, '127.0.0.1')
    const [bytes] = (await once(socket, 'data')) as [Buffer]
    assert.equal(String(bytes), 'net\n')
  }
  await reachAll()
  for (const pid of app.workerPids()) process.kill(pid, 'SIGKILL')
  await app.event('worker:ready', () => true, 4)
  await reachAll()
  app.kill('SIGUSR2')
  await app.event('reload:finished')
  await reachAll()
  assert.equal(app.records.some(({ msg }) => msg.includes('EADDRINUSE')), false)
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
  assert.ok(existsSync(path), 'the file is systemd’s')
})

test('an app that listens on all addresses of IPv4 gets the socket that systemd has for all of IPv4 and IPv6', options, async (t) => {
  const port = await freePort()
  const script = join(scratch(t), 'server.cjs')
  writeFileSync(script, `require('node:http').createServer((_, response) => response.end('ok')).listen(process.env.PORT, '0.0.0.0')`)
  const app = await App.start(t, script, { env: { PORT: String(port) }, through: activated([port]) })
  await awaitsClients(app, 1)
  assert.equal((await get({ port })).body, 'ok')
})

test('listen({ fd }) names a socket of systemd', options, async (t) => {
  const port = await freePort()
  const app = await App.start(t, 'by-fd.cjs', { env: { FD: '3' }, through: activated([port]) })
  await awaitsClients(app, 1)
  assert.equal((await get({ port })).body, 'by fd')
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
})

test('an app that closes its server and listens again gets the socket again', options, async (t) => {
  const port = await freePort()
  const app = await App.start(t, 'relisten.cjs', { env: { PORT: String(port) }, through: activated([port]), workers: 1 })
  await awaitsClients(app, 1)
  await get({ port }, '/relisten')
  await app.line(/LISTENING AGAIN/)
  assert.match((await get({ port })).body, /^\d+$/)
})

test('with round-robin the supervisor accepts from the socket of systemd', options, async (t) => {
  const port = await freePort()
  const app = await App.start(t, 'web.cjs', { env: { PORT: String(port) }, options: ['--balance', 'round-robin'], through: activated([port]) })
  await awaitsClients(app, 1)
  assert.equal((await get({ port })).status, 200)
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
})

test('who connects between a stop and the next start is answered after it', { skip: process.platform === 'win32' && 'Windows passes no sockets by number' }, async (t) => {
  // The test is what systemd is: it has the socket before, after and meanwhile.
  const port = await freePort()
  const holder = bound._createServerHandle('127.0.0.1', port, 4)
  t.after(() => holder.close())
  const start = (): ChildProcess => {
    const script = join(scratch(t), 'server.cjs')
    writeFileSync(script, `require('node:http').createServer((_, response) => response.end('ok')).listen(${port}, '127.0.0.1')`)
    return spawn('sh', ['-c', 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" "$@"', process.execPath, CLI, '-w', '1', script], { stdio: ['ignore', 'ignore', 'ignore', holder.fd] })
  }
  const first = start()
  await until('it serves', async () => get({ port }).then(() => true, () => false))
  first.kill('SIGTERM')
  assert.deepEqual(await once(first, 'exit'), [0, null])
  const waiting = get({ port })
  const second = start()
  assert.equal((await waiting).body, 'ok')
  second.kill('SIGTERM')
  assert.deepEqual(await once(second, 'exit'), [0, null])
})

test('what stands between systemd and everycore is told, since the sockets end there', options, async (t) => {
  const port = await freePort()
  const wrapper = ['sh', '-c', '"$0" "$@"; exit $?']
  const app = await App.start(t, 'web.cjs', { env: { PORT: String(await freePort()) }, through: activated([port], wrapper) })
  await awaitsClients(app, 1)
  const client = net.connect(port, '127.0.0.1')
  t.after(() => client.destroy())
  client.on('error', () => {})
  const warning = await app.record('the warning', ({ msg }) => msg.startsWith('systemd passed a socket to process'))
  assert.equal(warning.level, 40)
  assert.match(warning.msg, /npm, npx or a shell stands between/)
  await app.event('primary:started')
  const supervisor = Number(readFileSync(`/proc/${app.pid}/task/${app.pid}/children`, 'utf8').trim())
  process.kill(supervisor, 'SIGTERM')
  assert.equal((await app.ended).code, 0)
})

test('sockets that systemd passed to another process do not count', options, async (t) => {
  const app = await App.ready(t, 'web.cjs', { env: { LISTEN_PID: '1', LISTEN_FDS: '1' }, workers: 1 })
  assert.equal((await get({ port: app.port })).status, 200)
  assert.ok(app.records.some(({ msg }) => msg.startsWith('systemd passed a socket to process 1, and this is process')))
})
