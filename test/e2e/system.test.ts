/** What depends on the system: terminals, users, ports, the Node version. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { App, CLI, fixture, freePort } from '../harness/app.ts'
import { Connection, get } from '../harness/http.ts'
import { until } from '../harness/until.ts'

const isRoot = process.getuid?.() === 0
const isLinux = process.platform === 'linux'
/** Nobody must be able to run this very Node, which may lie in the home of root. */
const canBeNobody = isRoot && spawnSync(process.execPath, ['--version'], { uid: 65_534, gid: 65_534 }).status === 0

test('Ctrl-C in a terminal, which hits the whole process group, still drains', async (t) => {
  const port = await freePort()
  // A session of its own, as the foreground job of a terminal is a group of its own.
  const child = spawn(process.execPath, [CLI, '--log-format', 'raw', '-w', '2', fixture('web.cjs')], { detached: true, env: { ...process.env, PORT: String(port) }, stdio: 'ignore' })
  t.after(() => child.exitCode ?? child.kill('SIGKILL'))
  await until('it serves', async () => get({ port }).then(() => true, () => false))
  const connection = await Connection.open({ port })
  connection.send('/slow?ms=700')
  await until('the request is on its way', () => connection.socket.writableLength === 0)
  const answer = connection.receive()
  process.kill(-(child.pid ?? 0), 'SIGINT')
  assert.equal((await answer).headers['connection'], 'close')
  connection.close()
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 0)
})

test('an app that listens on a privileged port without the right to it is told what to do', { skip: (!privilegedPortsExist() && 'this kernel lets everybody have every port') || (isRoot && !canBeNobody && 'only root can run this Node') }, async (t) => {
  const temporary = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(temporary, { recursive: true, force: true }))
  chmodSync(temporary, 0o777)
  const child = spawn(process.execPath, [CLI, '-w', '1', '--port', '81', fixture('web.cjs')], {
    cwd: '/',
    env: { ...process.env, NO_COLOR: '1', HOME: '/nonexistent', XDG_RUNTIME_DIR: '', TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(isRoot ? { uid: 65_534, gid: 65_534 } : {}),
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 3)
  assert.match(stderr, /no permission to listen on port 81/)
})

function privilegedPortsExist(): boolean {
  if (!isLinux) return true
  return Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8')) > 81
}

test('--uid and --gid: the worker has neither the user, the groups nor the way back', { skip: !(canBeNobody && isLinux) && 'only root can give up being root, and only to who can run this Node' }, async (t) => {
  const app = await App.ready(t, 'identity.cjs', { workers: 1, options: ['--uid', '65534', '--gid', '65534'] })
  const [pid = 0] = app.workerPids()
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  assert.match(status, /^Uid:\s+65534\s+65534\s+65534\s+65534$/m)
  assert.match(status, /^Gid:\s+65534\s+65534\s+65534\s+65534$/m)
  assert.match(status, /^Groups:\s*$/m)
  assert.equal((await get({ port: app.port })).body, 'ok', 'on a port that the supervisor bound')
  assert.deepEqual(await app.stop(), { code: 0, signal: null }, 'and it can be ended')
})

test('--inspect opens one port for each worker, on the loopback address only', { skip: !isLinux && 'reads /proc' }, async (t) => {
  // Two neighbours below the ephemeral range, from which all other ports of the tests come.
  const first = 20_000 + 2 * (process.pid % 5000)
  const app = await App.ready(t, 'web.cjs', { options: ['--inspect', String(first)] })
  const listeners = spawnSync('ss', ['-ltnpH'], { encoding: 'utf8' }).stdout.split('\n')
  for (const [slot, pid] of app.workerPids().entries()) {
    const line = listeners.find((text) => text.includes(`pid=${pid},`) && text.includes(`:${first + slot} `))
    assert.match(line ?? '', new RegExp(`127\\.0\\.0\\.1:${first + slot}`))
  }
})

test('SIGUSR1 opens no inspector, neither in the supervisor nor in a worker', { skip: !isLinux && 'reads /proc' }, async (t) => {
  const app = await App.ready(t, 'web.cjs')
  app.kill('SIGUSR1')
  for (const pid of app.workerPids()) process.kill(pid, 'SIGUSR1')
  for (let count = 0; count < 20; count += 1) await get({ port: app.port })
  assert.doesNotMatch(spawnSync('ss', ['-ltnpH'], { encoding: 'utf8' }).stdout, new RegExp(`127\\.0\\.0\\.1:\\d+ .*pid=(${[app.pid, ...app.workerPids()].join('|')}),`))
})

test("a TypeScript entry runs, by the project's tsx or by Node itself", async (t) => {
  const app = await App.ready(t, 'typed.ts')
  assert.equal((await get({ port: app.port })).body, 'typed ok')
})

test('where Node has a compile cache, the workers fill it, and the app does not see how', async (t) => {
  const { enableCompileCache } = (await import('node:module')) as { readonly enableCompileCache?: unknown }
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const runtimeDir = join(directory, 'run')
  mkdirSync(runtimeDir, { mode: 0o700 })
  const app = await App.ready(t, 'identity.cjs', { workers: 1, options: ['--runtime-dir', runtimeDir] })
  const { msg } = await app.line(/^IDENTITY/)
  assert.ok(!(JSON.parse(msg.slice(9)) as { env: string[] }).env.includes('NODE_COMPILE_CACHE'))
  await app.stop()
  const cache = join(runtimeDir, 'compile-cache')
  assert.equal(existsSync(cache) && readdirSync(cache).length > 0, enableCompileCache !== undefined)
})

test("where sockets cannot be held, node:cluster's way is used, and the command says so", async (t) => {
  const port = await freePort()
  const withoutHandles = `data:text/javascript,import net from 'node:net'; import { syncBuiltinESMExports } from 'node:module'; delete net._createServerHandle; syncBuiltinESMExports()`
  const child = spawn(process.execPath, ['--import', withoutHandles, CLI, '-w', '2', '--log-format', 'raw', fixture('web.cjs')], { env: { ...process.env, PORT: String(port) }, stdio: ['ignore', 'pipe', 'pipe'] })
  t.after(() => child.exitCode ?? child.kill('SIGKILL'))
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  await until('it serves', async () => get({ port }).then(({ status }) => status === 200, () => false))
  assert.match(stderr, /cannot hold sockets/)
  child.kill('SIGTERM')
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 0)
})

test('nothing is left open in a worker but its own pipes', { skip: !isLinux && 'reads /proc' }, async (t) => {
  const app = await App.ready(t, 'web.cjs')
  const supervisor = new Set(sockets(app.pid))
  for (const pid of app.workerPids()) {
    const shared = sockets(pid).filter((inode) => supervisor.has(inode))
    // The listening socket is the only thing that supervisor and workers have in common.
    assert.equal(shared.length, 1)
  }
})

function sockets(pid: number): readonly string[] {
  const links = spawnSync('ls', ['-l', `/proc/${pid}/fd`], { encoding: 'utf8' }).stdout
  return [...links.matchAll(/socket:\[(\d+)\]/g)].map(([, inode]) => inode ?? '')
}

test('the descriptors of the supervisor stay constant over crashes', { skip: !isLinux && 'reads /proc' }, async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 1 })
  const count = (): number => readdirSync(`/proc/${app.pid}/fd`).length
  const crash = async (nth: number): Promise<void> => {
    process.kill(app.workerPids()[0] ?? 0, 'SIGKILL')
    await app.event('worker:ready', () => true, nth + 1)
  }
  await crash(1)
  const before = count()
  for (let nth = 2; nth <= 4; nth += 1) await crash(nth)
  await until('as many descriptors as before', () => count() === before, 5000)
})
