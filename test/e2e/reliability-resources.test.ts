/** What the system refuses: descriptors, processes, room on a disk, a reader. The service goes on, and comes back by itself. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, openSync, closeSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { App, CLI, fixture, freePort } from '../harness/app.ts'
import { get } from '../harness/http.ts'
import { until } from '../harness/until.ts'

const isRoot = process.getuid?.() === 0
/** Nobody must be able to run this Node and to read the app. */
const canBeNobody = isRoot && spawnSync(process.execPath, ['--check', fixture('web.cjs')], { uid: 65_534, gid: 65_534 }).status === 0
const needsPrlimit = spawnSync('prlimit', ['--version']).status === 0 ? false : 'needs prlimit(1)'

/** Sets the soft limit of a running process; returns what sets it back. */
function limit(pid: number, resource: 'nofile' | 'nproc', value: number, user: { readonly uid?: number; readonly gid?: number } = {}): () => void {
  const prlimit = (...options: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync('prlimit', ['--pid', String(pid), ...options], { ...user, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    return stdout
  }
  const before = prlimit(`--${resource}`, '--output', 'SOFT', '--noheadings').trim()
  const set = (soft: string): void => void prlimit(`--${resource}=${soft}:`)
  set(String(value))
  return () => set(before)
}

/** Kills a worker while the system refuses another; then it may be had again. */
async function comesBack(app: App, code: string, reload: 'reload:aborted' | 'reload:refused', lift: () => void): Promise<void> {
  const [pid = 0] = app.workerPids()
  process.kill(pid, 'SIGKILL')
  const { msg } = await app.event('worker:spawn-failed', ({ slot }) => slot === 0)
  assert.match(msg, new RegExp(`^worker 0 could not be started \\(${code}\\), next try in`))
  await app.event('primary:phase', ({ msg: text }) => text.startsWith('degraded: 1 of 2'))
  const answers = await Promise.all(Array.from({ length: 20 }, async () => get({ port: app.port }, '/slow?ms=20')))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  app.kill('SIGUSR2')
  assert.ok((await app.event(reload)).msg.includes(code))
  lift()
  await app.event('worker:ready', ({ slot }) => slot === 0, 2)
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
}

test('EMFILE in the supervisor: the service goes on, also what workers hand over, and the worker comes back when descriptors do', { skip: needsPrlimit }, async (t) => {
  const app = await App.ready(t, 'web.cjs')
  await get({ port: app.port })
  const lift = limit(app.pid, 'nofile', 3)
  const answers = await Promise.all(Array.from({ length: 60 }, async () => get({ port: app.port }, '/slow?ms=20')))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  await comesBack(app, 'EMFILE', 'reload:refused', lift)
})

test('fork failure (EAGAIN): the service goes on, a reload is refused, and the worker comes back when processes may be had', { skip: needsPrlimit || (isRoot && !canBeNobody && 'no limit holds for root, and only root can run this Node') }, async (t) => {
  const directory = scratch(t)
  const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--']
  const env = { HOME: '/nonexistent', XDG_RUNTIME_DIR: '', TMPDIR: directory }
  const app = await App.ready(t, 'web.cjs', isRoot ? { through: () => nobody, env } : { env })
  await comesBack(app, 'EAGAIN', 'reload:aborted', limit(app.pid, 'nproc', 1, isRoot ? { uid: 65_534, gid: 65_534 } : {}))
})

test('ENOSPC: a full disk under the log stops nobody, and the other stream tells it once', { skip: process.platform === 'linux' ? false : '/dev/full is Linux' }, async (t) => {
  const port = await freePort()
  const full = openSync('/dev/full', 'w')
  const child = spawn(process.execPath, [CLI, '--log-format', 'raw', '-w', '2', fixture('web.cjs')], { env: { ...process.env, PORT: String(port), TALKS: '100' }, stdio: ['ignore', full, 'pipe'] })
  closeSync(full)
  t.after(() => child.exitCode ?? child.kill('SIGKILL'))
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  await until('it serves', async () => get({ port }).then(() => true, () => false))
  for (let count = 0; count < 50; count += 1) assert.equal((await get({ port })).status, 200)
  await until('it is told', () => stderr.includes('stdout cannot be written (ENOSPC): lines are dropped until it can'))
  child.kill('SIGTERM')
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 0)
  assert.equal(stderr.match(/cannot be written/g)?.length, 1)
})

test('EPIPE, and no stdout at all: started with closed streams, or with a reader that has gone, it serves and stops', { skip: process.platform === 'win32' && 'Windows has no such shell' }, async (t) => {
  const command = [process.execPath, CLI, '--log-format', 'raw', '-w', '1', fixture('web.cjs')]
  for (const shell of ['exec "$0" "$@" >&- 2>&-', 'exec "$0" "$@" 2>&1 | head -n 1; exit 0']) {
    const port = await freePort()
    const child = spawn('sh', ['-c', shell, ...command], { env: { ...process.env, PORT: String(port), TALKS: '100' }, stdio: ['ignore', 'ignore', 'ignore'], detached: true })
    t.after(() => child.exitCode ?? process.kill(-(child.pid ?? 0), 'SIGKILL'))
    await until('it serves', async () => get({ port }).then(() => true, () => false))
    for (let count = 0; count < 20; count += 1) assert.equal((await get({ port })).status, 200)
    process.kill(-(child.pid ?? 0), 'SIGTERM')
    await once(child, 'close')
    await until('it has ended', async () => get({ port }).then(() => false, () => true))
  }
})

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  chmodSync(directory, 0o777)
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
