import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { App, CLI, fixture, freePort } from '../harness/app.ts'
import { get, type RequestLost } from '../harness/http.ts'
import { until } from '../harness/until.ts'

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ family }) => family === 'IPv6') === true)

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Whether a connection is refused, or else taken into the queue. */
async function isRefused(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const outcome = await once(socket, 'connect').then(() => 'taken', ({ code }: NodeJS.ErrnoException) => code)
  socket.destroy()
  return outcome === 'ECONNREFUSED'
}

async function severalPorts(): Promise<Record<string, string>> {
  return { PORT_2: String(await freePort()), PORT_3: String(await freePort()), PORT_4: String(await freePort()) }
}

test('an app that listens in every shape is reached on all of them, also after its workers were replaced', async (t) => {
  const path = join(scratch(t), 'app.sock')
  const ports = await severalPorts()
  const app = await App.ready(t, 'several.cjs', { env: { ...ports, SOCKET_PATH: path } })
  const anyPort = Number((await app.line(/^ANY /)).msg.split(' ')[1])
  const otherPort = Number((await app.line(/^OTHER /)).msg.split(' ')[1])
  const reachAll = async (): Promise<void> => {
    assert.match((await get({ port: app.port })).body, /^first/)
    assert.match((await get({ port: Number(ports['PORT_2']) })).body, /^v4/)
    if (hasIpv6) assert.match((await get({ port: Number(ports['PORT_3']), host: '::1' })).body, /^v6/)
    assert.match((await get({ path })).body, /^path/)
    assert.match((await get({ port: anyPort })).body, /^any/)
    assert.match((await get({ port: otherPort })).body, /^other/)
    const socket = connect(Number(ports['PORT_4']), '127.0.0.1')
    const [bytes] = (await once(socket, 'data')) as [Buffer]
    assert.equal(String(bytes), 'net\n')
  }
  await reachAll()
  assert.equal(statSync(path).mode & 0o666, 0o666, 'readableAll and writableAll')
  for (const pid of app.workerPids()) process.kill(pid, 'SIGKILL')
  await app.event('worker:ready', () => true, 4)
  await reachAll()
  const anyPorts = new Set(app.output.filter((line) => line.startsWith('ANY')))
  assert.deepEqual(anyPorts.size, 1, 'listen(0) gave the same port to every worker and to their successors')
  assert.equal((await app.stop()).code, 0)
  assert.equal(existsSync(path), false, 'the socket file went with the supervisor')
})

test('a stale unix socket file is replaced, a live one is not', async (t) => {
  const path = join(scratch(t), 'app.sock')
  const first = await App.ready(t, 'web.cjs', { env: { LISTEN_PATH: path } })
  first.kill('SIGKILL')
  await until('nothing is left of it', () => first.leftovers().length === 0)
  assert.ok(existsSync(path))
  const second = await App.ready(t, 'web.cjs', { env: { LISTEN_PATH: path } })
  assert.equal((await get({ path })).status, 200)
  const third = await App.start(t, 'web.cjs', { env: { LISTEN_PATH: path } })
  assert.equal((await third.ended).code, 3)
  assert.match(third.transcript, new RegExp(`${path} is already in use`))
  assert.equal((await get({ path })).status, 200, 'the second goes on')
  await second.stop()
})

test('a port in use: the app gets EADDRINUSE in its own error event, and everycore names the holder', async (t) => {
  const holder = createServer().listen(0)
  await once(holder, 'listening')
  t.after(() => holder.close())
  const { port } = holder.address() as { port: number }
  const handled = await App.start(t, 'errors.cjs', { env: { BUSY_PORT: String(port) } })
  await handled.ended
  const error = JSON.parse((await handled.line(/^ERROR /)).msg.slice(6)) as Record<string, unknown>
  assert.deepEqual([error['code'], error['port']], ['EADDRINUSE', port])
  assert.equal(error['syscall'], 'bind', 'as in every cluster worker; plain node says listen')
  const unhandled = await App.start(t, 'web.cjs', { options: ['--port', String(port)] })
  assert.equal((await unhandled.ended).code, 3)
  assert.match(unhandled.transcript, new RegExp(`port ${port} is already in use`))
  if (process.platform === 'linux') assert.match(unhandled.transcript, new RegExp(`process ${process.pid} listens there`))
})

test('two everycore on one port: the second fails clearly, the first goes on', async (t) => {
  const first = await App.ready(t, 'web.cjs')
  const second = await App.start(t, 'web.cjs', { options: ['--port', String(first.port)] })
  assert.equal((await second.ended).code, 3)
  assert.match(second.transcript, new RegExp(`port ${first.port} is already in use`))
  assert.equal((await get({ port: first.port })).status, 200)
})

test('a server may close and listen again; when all have closed, the port is free', async (t) => {
  const app = await App.ready(t, 'relisten.cjs', { workers: 1 })
  await get({ port: app.port }, '/relisten')
  await app.line(/LISTENING AGAIN .relisten/)
  assert.equal((await get({ port: app.port })).status, 200)
  await get({ port: app.port }, '/elsewhere')
  await app.line(/LISTENING AGAIN .elsewhere/)
  assert.equal((await get({ port: app.port })).status, 200)
  const closing = await App.ready(t, 'closes.cjs', { workers: 1 })
  await get({ port: closing.port })
  await closing.line(/CLOSED/)
  await until('the port is free', async () => {
    const probe = createServer()
    probe.listen(closing.port)
    return once(probe, 'listening').then(
      () => probe.close() && true,
      () => false,
    )
  })
})

test('exclusive, reusePort and a handle of its own pass everycore by', async (t) => {
  const app = await App.ready(t, 'own-sockets.cjs', { workers: 1, env: await severalPorts() })
  await app.line(/^ALL LISTEN/)
  for (const line of app.output.filter((text) => text.startsWith('PORT '))) {
    assert.equal((await get({ port: Number(line.split(' ')[1]) })).body, 'own')
  }
})

test('https resumes a TLS session on another worker; http2 and tls servers serve', async (t) => {
  const app = await App.ready(t, 'secure.cjs', { env: await severalPorts() })
  const { resumedOnOther, http2Status, tlsText } = await import('../harness/secure-clients.ts').then((clients) => clients.visitSecure(app))
  assert.ok(resumedOnOther, 'a session of one worker was resumed by the other')
  assert.equal(http2Status, 200)
  assert.equal(tlsText, 'tls\n')
})

test('datagrams reach the workers', async (t) => {
  const app = await App.ready(t, 'udp.cjs')
  const { createSocket } = await import('node:dgram')
  const client = createSocket('udp4')
  t.after(() => client.close())
  client.send('ping', app.port, '127.0.0.1')
  const [bytes] = (await once(client, 'message')) as [Buffer]
  assert.equal(String(bytes), 'pong ping')
})

test('the backlog that the app asks for is the one of the socket', { skip: process.platform !== 'linux' && 'ss(8) is Linux' }, async (t) => {
  const { spawnSync } = await import('node:child_process')
  const app = await App.ready(t, 'backlog.cjs', { workers: 1 })
  const { stdout } = spawnSync('ss', ['-ltnH', `sport = :${app.port}`], { encoding: 'utf8' })
  assert.match(stdout.trim(), /^LISTEN\s+0\s+7\s/)
})

test("listen({ fd }) names a socket that the supervisor inherited, and no other descriptor", async (t) => {
  const holder = createServer().listen(0)
  await once(holder, 'listening')
  const { port } = holder.address() as { port: number }
  const handle = (holder as unknown as { _handle: { fd: number } })._handle
  const start = async (fd: number, inherit: boolean): Promise<{ readonly child: ChildProcess; readonly transcript: () => string }> => {
    const child = spawn(process.execPath, [CLI, '-w', '2', '--log-format', 'raw', fixture('by-fd.cjs')], { env: { ...process.env, FD: String(fd) }, stdio: ['ignore', 'pipe', 'pipe', ...(inherit ? [handle.fd] : [])] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    return { child, transcript: () => text }
  }
  const { child } = await start(3, true)
  t.after(() => child.exitCode ?? child.kill('SIGKILL'))
  holder.close()
  await until('it serves by the inherited socket', async () => get({ port }).then(({ body }) => body === 'by fd', () => false))
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'close'), [0, null])
  const other = await start(20, false)
  assert.deepEqual(await once(other.child, 'close'), [3, null])
  assert.match(other.transcript(), /EBADF/)
})

test('two servers of one process on one address: the second gets EADDRINUSE, as under plain node', async (t) => {
  const app = await App.ready(t, 'twice.cjs')
  await app.line(/^SECOND EADDRINUSE/, 2)
  assert.equal((await get({ port: app.port })).body, 'first')
})

test('an app that listens without end cannot use up the descriptors of the supervisor', async (t) => {
  const app = await App.ready(t, 'listens-without-end.cjs', { workers: 1 })
  assert.equal((await app.line(/^REFUSED/)).msg, 'REFUSED EMFILE after 512')
  assert.equal((await get({ port: app.port })).body, 'ok')
})

test('an app that binds datagram sockets without end cannot use up the descriptors of the supervisor', async (t) => {
  const app = await App.ready(t, 'udp-without-end.cjs', { workers: 1 })
  assert.equal((await app.line(/^REFUSED/)).msg, 'REFUSED EMFILE after 128')
})

test('with few descriptors the supervisor holds few sockets', { skip: process.platform !== 'linux' && 'reads /proc' }, async (t) => {
  const port = String(await freePort())
  const refusal = async (script: string): Promise<string> => {
    const child = spawn('sh', ['-c', 'ulimit -n 320 && exec "$0" "$@"', process.execPath, CLI, '-w', '1', '--log-format', 'raw', fixture(script)], { env: { ...process.env, PORT: port }, stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => child.exitCode ?? child.kill('SIGKILL'))
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    await until('it is refused', () => text.includes('REFUSED'))
    child.kill('SIGTERM')
    await once(child, 'close')
    return /^REFUSED.*$/m.exec(text)?.[0] ?? ''
  }
  assert.equal(await refusal('listens-without-end.cjs'), 'REFUSED EMFILE after 80')
  assert.equal(await refusal('udp-without-end.cjs'), 'REFUSED EMFILE after 20')
})

test('a port that a new release no longer listens on is refused, and so is one that only a failed release had', async (t) => {
  const flag = join(scratch(t), 'flag')
  const ports = await severalPorts()
  const app = await App.ready(t, 'forgets-a-port.cjs', { env: { ...ports, FLAG: flag } })
  assert.equal((await get({ port: Number(ports['PORT_2']) })).body, 'ok')
  writeFileSync(flag, 'FAIL')
  app.kill('SIGUSR2')
  await app.event('reload:aborted')
  await until('the port of the failed release is given up', async () => isRefused(Number(ports['PORT_3'])))
  assert.equal((await get({ port: Number(ports['PORT_2']) })).body, 'ok')
  writeFileSync(flag, 'GOOD')
  app.kill('SIGUSR2')
  await app.event('reload:finished')
  await until('the port of the old release is given up', async () => isRefused(Number(ports['PORT_2'])))
  assert.equal((await get({ port: app.port })).body, 'ok')
})

test('a port that the successors of crashed workers do not listen on is refused', async (t) => {
  const flag = join(scratch(t), 'flag')
  const ports = await severalPorts()
  const app = await App.ready(t, 'forgets-a-port.cjs', { env: { ...ports, FLAG: flag } })
  writeFileSync(flag, 'GOOD')
  const [first = 0, second = 0] = app.workerPids()
  process.kill(first, 'SIGKILL')
  await app.event('worker:ready', () => true, 3)
  assert.equal((await get({ port: Number(ports['PORT_2']) })).body, 'ok', 'the other worker still listens')
  process.kill(second, 'SIGKILL')
  await app.event('worker:ready', () => true, 4)
  await until('the port is given up', async () => isRefused(Number(ports['PORT_2'])))
  assert.equal((await get({ port: app.port })).body, 'ok')
})

test('a single worker that closes its server and ends at once after an error leaves the socket to its successor', async (t) => {
  const app = await App.ready(t, 'closes-and-exits.cjs', { workers: 1 })
  await get({ port: app.port }, '/throw').catch(() => {})
  await app.event('worker:exited')
  assert.equal((await get({ port: app.port })).body, 'ok', 'it waited in the queue')
})

test('connections wait for a successor that is ready a moment before it listens', async (t) => {
  const app = await App.ready(t, 'ready-before-listen.cjs', { workers: 1, options: ['--wait-ready'] })
  await app.line(/LISTENING/)
  process.kill(app.workerPids()[0] ?? 0, 'SIGKILL')
  await app.event('worker:ready', () => true, 2)
  assert.equal((await get({ port: app.port })).body, 'ok')
})

test('an app may open and close many ports', async (t) => {
  const app = await App.ready(t, 'many-ports.cjs', { workers: 1 })
  assert.equal((await app.line(/^(DONE|REFUSED)/)).msg, 'DONE')
  assert.equal((await get({ port: app.port })).body, 'ok')
})

test('listen() during a drain succeeds, and nothing is bound: an error would only end an app that is leaving', async (t) => {
  const path = join(scratch(t), 'late.sock')
  const port = String(await freePort())
  const app = await App.ready(t, 'listens-late.cjs', { workers: 1, env: { PORT_2: port, LATE_PATH: path } })
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
  assert.deepEqual(app.output, [`LISTENING ${port}`, `LISTENING ${path}`, 'GOODBYE'])
  assert.equal(app.records.filter(({ event }) => event === 'worker:listening').length, 1)
})

test('callbacks of listen() run in the asynchronous context of the call, also the one of an error', async (t) => {
  const app = await App.ready(t, 'context.cjs', { workers: 1 })
  await app.line(/^EADDRINUSE/)
  await app.line(/^written/)
  assert.deepEqual([...app.output].sort(), ['EADDRINUSE: second', 'callback: first', 'event: first', 'written: sent'])
})

test('an abstract unix socket is held like any other', { skip: process.platform !== 'linux' && 'only Linux has them' }, async (t) => {
  const name = `everycore-test-${randomUUID()}`
  const app = await App.ready(t, 'abstract.cjs', { env: { NAME: name } })
  await app.line(/^SECOND EADDRINUSE/, 2)
  await app.line(new RegExp(`^FIRST "\\\\u0000${name}"`), 2)
  assert.equal((await get({ path: `\0${name}` })).body, 'abstract')
  const other = await App.start(t, 'abstract.cjs', { env: { NAME: name } })
  assert.equal((await other.ended).code, 3)
  assert.match(other.transcript, /is already in use/)
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
})

test('a server that is closed before it listens does not hold up the others, and close() is no error', async (t) => {
  const port = await freePort()
  const app = await App.ready(t, 'closes-early.cjs', { env: { PORT_2: String(port) } })
  assert.equal((await get({ port: app.port })).body, 'third')
  await app.line(/^FIRST/, 2)
  await app.line(/^SECOND/, 2)
  assert.deepEqual(new Set(app.output), new Set(['FIRST CLOSED undefined', 'SECOND CLOSED undefined']))
  await assert.rejects(get({ port }), (error: RequestLost) => error.fate === 'refused')
  assert.equal((await app.stop()).code, 0)
})

test('what cannot even be tried to bind is answered as an error, and the supervisor goes on', async (t) => {
  const app = await App.ready(t, 'binds-nonsense.cjs', { workers: 1 })
  assert.equal((await get({ port: app.port })).body, 'EINVAL')
  assert.equal((await get({ port: app.port })).body, 'EINVAL')
  assert.equal((await app.stop()).code, 0)
})
