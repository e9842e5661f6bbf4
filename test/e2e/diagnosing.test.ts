/** docs/diagnosing.md */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { call } from '../../src/control/client.ts'
import { App, freePort } from '../harness/app.ts'
import { attach } from '../harness/debugger.ts'
import { isAlive } from '../harness/processes.ts'
import { until } from '../harness/until.ts'
import { runtimeDir, startVerb, verb, type RunningVerb } from '../harness/verb.ts'

interface Fixture {
  readonly app: App
  readonly directory: string
  readonly path: string
  /** Empty at first. */
  readonly files: string
}

async function started(t: TestContext, options: readonly string[] = [], workers = 2): Promise<Fixture> {
  const directory = runtimeDir(t)
  const files = join(directory, 'files')
  mkdirSync(files)
  const app = await App.ready(t, 'web.cjs', { workers, options: ['--runtime-dir', directory, '-n', 'shop', ...options] })
  await app.event('control:opened')
  return { app, directory, files, path: join(directory, 'shop.sock') }
}

interface Opened {
  readonly slot: number
  readonly pid: number
  readonly url: string
  readonly port: number
}

/** Waits for the first line. */
async function opened(inspecting: RunningVerb): Promise<Opened> {
  await inspecting.says(/^\{.*\}\n/)
  return JSON.parse(inspecting.out().split('\n')[0] ?? '') as Opened
}

async function refused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(false))
    socket.once('error', () => resolve(true))
    socket.once('close', () => socket.destroy())
    socket.setTimeout(1000, () => socket.destroy())
  })
}

test('an inspector opens on loopback, is told of in status and log, and closes with Ctrl-C or from elsewhere', async (t) => {
  const { app, directory, path } = await started(t)
  const inspecting = startVerb(directory, 'inspect', '1', '--json')
  const { slot, pid, url, port } = await opened(inspecting)
  assert.deepEqual([slot, pid], [1, app.workerPids()[1]])
  assert.match(url, new RegExp(String.raw`^ws://127\.0\.0\.1:${port}/`))
  const { verdict, workers } = await call(path, 'status')
  assert.deepEqual([verdict[0], workers.map(({ diagnosis }) => diagnosis)], ['worker 1 is being inspected: nobody notices if it hangs', [undefined, 'inspect']])
  await app.event('inspect:started')
  assert.equal((await verb(directory, 'inspect', '1')).err.split('\n')[0], 'everycore: worker 1 is being inspected already')
  const debug = await attach(url)
  t.after(() => debug.end())
  debug.send('Runtime.enable')
  await debug.event('Runtime.executionContextCreated')
  inspecting.interrupt()
  const { code, out } = await inspecting.ended
  assert.deepEqual([code, JSON.parse(out.split('\n')[1] ?? '')], [0, { schemaVersion: 1, slot: 1, pid, closed: 'now' }])
  assert.equal(await refused(port), true)
  const again = startVerb(directory, 'inspect', '1')
  await again.says(/ssh -N -L (\d+):127\.0\.0\.1:\1 /)
  const other = await attach(/ws:\S+/.exec(again.out())?.[0] ?? '')
  t.after(() => other.end())
  other.send('Runtime.enable')
  await other.event('Runtime.executionContextCreated')
  assert.deepEqual([await verb(directory, 'inspect', '1', '--close'), (await again.ended).code], [{ code: 0, out: 'the inspector of worker 1 is closed\n', err: '' }, 0])
  assert.deepEqual((await call(path, 'status')).verdict, ['all 2 workers are ready'])
})

test('a worker at a breakpoint is not killed for hanging, and goes on when the inspector is closed', async (t) => {
  const { app, directory } = await started(t, ['--hang-timeout', '500ms'])
  const inspecting = startVerb(directory, 'inspect', '0', '--json')
  const { pid, url } = await opened(inspecting)
  const debug = await attach(url)
  t.after(() => debug.end())
  debug.send('Debugger.enable')
  debug.send('Runtime.evaluate', { expression: 'setTimeout(() => { debugger }, 1)' })
  await debug.event('Debugger.paused')
  // That nothing happens has no event: five times what would be its end without the inspector.
  await new Promise((resolve) => setTimeout(resolve, 2500))
  inspecting.interrupt()
  const { out } = await inspecting.ended
  assert.equal((JSON.parse(out.split('\n')[1] ?? '') as { readonly closed: string }).closed, 'now')
  assert.deepEqual([isAlive(pid), app.records.some(({ event }) => event === 'worker:stalled')], [true, false])
})

test('an inspector that the app was started with is named, and none is opened; one whose client is gone is closed', async (t) => {
  const port = await freePort()
  const { app, directory } = await started(t, ['--inspect', String(port)], 1)
  const { code, err } = await verb(directory, 'inspect', '0')
  assert.deepEqual([code, err.includes(`ws://127.0.0.1:${port}/`)], [1, true], err)
  await app.stop()
  const other = await started(t)
  const inspecting = startVerb(other.directory, 'inspect', '0', '--json')
  const opening = await opened(inspecting)
  inspecting.kill()
  await other.app.event('inspect:finished')
  await until('it is closed', async () => refused(opening.port))
})

test('a CPU profile is written for its owner alone, whole, and over nothing', async (t) => {
  const { directory, files } = await started(t)
  const file = join(files, 'shop.cpuprofile')
  const { code, out } = await verb(directory, 'profile', 'cpu', '0', '-s', '1', '-o', file, '--json')
  const { bytes } = JSON.parse(out) as { readonly bytes: number }
  assert.deepEqual([code, statSync(file).mode & 0o7777, statSync(file).size, readdirSync(files)], [0, 0o600, bytes, ['shop.cpuprofile']])
  assert.ok((JSON.parse(readFileSync(file, 'utf8')) as { readonly nodes: readonly unknown[] }).nodes.length > 0)
  const before = readFileSync(file)
  const again = await verb(directory, 'profile', 'cpu', '0', '-s', '1', '-o', file)
  assert.deepEqual([again.code, again.err.split('\n')[0]], [2, `everycore: ${file} is there already`])
  assert.deepEqual(readFileSync(file), before)
  assert.equal((await verb(directory, 'profile', 'cpu', '9', '-o', join(files, 'x'))).err, 'profiling worker 9 for 10s; Ctrl-C calls it off\neverycore: slot 9 has no worker now\n  there are 2 slots, from 0\n  everycore status tells which there are.\n')
})

test('a heap snapshot wants to be agreed to, and is whole; an allocation profile does not', async (t) => {
  const { app, directory, files } = await started(t)
  const file = join(files, 'shop.heapsnapshot')
  const refusal = await verb(directory, 'profile', 'heap', '0', '-o', file)
  assert.equal(refusal.code, 2)
  assert.match(refusal.err, /has a heap of [\d.]+M\. While its snapshot is taken:\n.*answers nobody.*\n.*more memory.*\n.*passwords and tokens/)
  const [taken, sampled] = await Promise.all([verb(directory, 'profile', 'heap', '0', '--yes', '-o', file), verb(directory, 'profile', 'heap', '1', '--sampling', '-s', '1', '-o', join(files, 'shop.heapprofile'))])
  assert.deepEqual([taken.code, sampled.code], [0, 0], taken.err + sampled.err)
  assert.equal((JSON.parse(readFileSync(file, 'utf8')) as { readonly snapshot: { readonly node_count: number } }).snapshot.node_count > 1000, true)
  assert.ok('head' in (JSON.parse(readFileSync(join(files, 'shop.heapprofile'), 'utf8')) as object))
  assert.equal(statSync(file).mode & 0o7777, 0o600)
  assert.equal((await app.event('profile:finished'))['kind'] !== undefined, true)
})

test('a profile that ends early leaves no file: Ctrl-C, the end of the worker, a directory that cannot be written to', async (t) => {
  const { app, directory, files, path } = await started(t)
  const wish = ['profile', 'cpu', '0', '-s', '60', '-o', join(files, 'a')] as const
  const first = startVerb(directory, ...wish)
  await app.event('profile:started')
  assert.match((await verb(directory, ...wish)).err, /is being profiled already/)
  const other = startVerb(directory, 'profile', 'cpu', '1', '-s', '60', '-o', join(files, 'b'))
  await until('both are profiled', async () => (await call(path, 'status')).workers.every(({ diagnosis }) => diagnosis === 'cpu'))
  assert.match((await verb(directory, 'profile', 'heap', '1', '--yes', '-o', join(files, 'c'))).err, /2 workers are being profiled already/)
  first.interrupt()
  assert.equal((await first.ended).code, 130)
  await until('the worker is free', async () => (await call(path, 'status')).workers[0]?.diagnosis === undefined)
  process.kill(app.workerPids()[1] ?? 0, 'SIGKILL')
  const { code, err } = await other.ended
  assert.deepEqual([code, err.split('\n')[1]], [1, 'everycore: the worker ended meanwhile'], err)
  const file = join(files, 'closed')
  mkdirSync(file)
  writeFileSync(join(file, 'there'), '')
  chmodSync(file, 0o500)
  assert.equal((await verb(directory, 'profile', 'cpu', '0', '-s', '1', '-o', join(file, 'there'))).code, 2)
  assert.deepEqual(readdirSync(files), ['closed'])
})

test('a worker that hangs is named as one', async (t) => {
  const { app, directory, files } = await started(t, [], 1)
  const blocked = request({ port: app.port, path: '/block?ms=8000' }).end()
  blocked.on('error', () => {})
  await until('it hangs', async () => (await Promise.race([fetch(`http://127.0.0.1:${app.port}/`), new Promise((resolve) => setTimeout(resolve, 300, 'late'))])) === 'late')
  const { code, err } = await verb(directory, 'profile', 'cpu', '0', '-o', join(files, 'a'))
  assert.equal(code, 1)
  assert.match(err, /the worker gives no answer\n {2}its event loop has stood still for [\d.]+s\n {2}When the hang timeout has passed it is killed, and the log has the stack/)
})

test('the doctor names who has a port, by program and script alone, and its end tells whether all is well', async (t) => {
  const { app, directory } = await started(t)
  const taken = await verb(directory, 'doctor', '-p', String(app.port), '--json')
  const { ok, findings } = JSON.parse(taken.out) as { readonly ok: boolean; readonly findings: readonly { readonly subject: string; readonly verdict: string; readonly fact: string }[] }
  assert.deepEqual([taken.code, ok, findings.find(({ subject }) => subject === 'port')?.verdict], [1, false, 'problem'])
  assert.match(findings.find(({ subject }) => subject === 'port')?.fact ?? '', /^port \d+ is taken by .*node( \S+)? \(pid \d+\)$/)
  const own = await verb(directory, 'doctor', 'shop')
  assert.match(own.out, new RegExp(`^ok +port ${app.port} is held by `, 'm'))
  assert.match(own.out, /\n\d+ problems?, \d+ warnings?\n$/)
})
