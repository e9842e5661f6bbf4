import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { App, fixture } from '../harness/app.ts'
import { get, type RequestLost } from '../harness/http.ts'
import { until } from '../harness/until.ts'

interface Identity {
  readonly argv: readonly string[]
  readonly execArgv: readonly string[]
  readonly isMain: boolean | null
  readonly isEntry?: boolean
  readonly env: readonly string[]
  readonly cwd: string
  readonly rejections: number
}

async function identity(app: App): Promise<Identity> {
  const { msg } = await app.line(/^IDENTITY /)
  return JSON.parse(msg.slice('IDENTITY '.length)) as Identity
}

test('both workers serve on one port', async (t) => {
  const app = await App.ready(t, 'web.cjs')
  const seen = new Set<string>()
  await until('every worker has answered', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => get({ port: app.port }, '/block?ms=5')))
    for (const { body } of answers) seen.add((JSON.parse(body) as { slot: string }).slot)
    return seen.size === 2
  })
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
})

test('a CommonJS app sees argv, require.main and execArgv as under plain node', async (t) => {
  const app = await App.ready(t, 'identity.cjs', { args: ['-w', '9', '--help', '--', 'last'], workers: 1 })
  const seen = await identity(app)
  assert.deepEqual(seen.argv, [fixture('identity.cjs'), '-w', '9', '--help', '--', 'last'])
  assert.deepEqual(seen.execArgv, [])
  assert.equal(seen.isMain, true)
  assert.equal(seen.rejections, 0)
})

test('an ES module app sees itself as the entry', async (t) => {
  const app = await App.ready(t, 'identity.mjs', { workers: 1, options: ['--node-args', '--no-warnings'] })
  const seen = await identity(app)
  assert.equal(seen.isEntry, true)
  assert.notEqual(seen.isMain, false)
  assert.deepEqual(seen.execArgv, ['--no-warnings'])
})

test('the environment has the three documented additions and nothing else', async (t) => {
  const app = await App.ready(t, 'identity.cjs', { workers: 1 })
  const plain = spawnSync(process.execPath, ['-e', 'console.log(JSON.stringify(Object.keys(process.env).sort()))'], { env: { ...process.env, PORT: '1', NO_COLOR: '1', TEST_RUN_ID: '1' }, encoding: 'utf8' })
  const expected = [...(JSON.parse(plain.stdout) as string[]), 'EVERYCORE_GENERATION', 'EVERYCORE_SLOT', 'NODE_APP_INSTANCE'].sort()
  assert.deepEqual((await identity(app)).env, expected)
})

test('--cwd, --port, --env-file and --node-args reach the app', async (t) => {
  const app = await App.start(t, 'identity.cjs', { workers: 1, options: ['--cwd', '/', '--port', '0', '--node-args', '--max-http-header-size=9999'] })
  await app.event('primary:started')
  const seen = await identity(app)
  assert.equal(seen.cwd, '/')
  assert.deepEqual(seen.execArgv, ['--max-http-header-size=9999'])
})

test('nothing of ours runs in children and threads of the app', async (t) => {
  const app = await App.ready(t, 'family.cjs', { workers: 1 })
  await app.line(/^CHILD /, 2)
  await app.line(/^THREAD /)
  const reports = app.output.filter((line) => /^(CHILD|THREAD) /.test(line))
  for (const report of reports) {
    const seen = JSON.parse(report.slice(report.indexOf(' '))) as Record<string, unknown>
    assert.deepEqual({ boot: seen['boot'], hook: seen['hook'], loaded: seen['loaded'] }, { boot: null, hook: false, loaded: 0 }, report)
    assert.deepEqual(seen['execArgv'], [], report)
  }
  await app.stop()
  await until('the children have gone with their worker', () => app.leftovers().length === 0, 2000)
})

test('an app that listens late, but within the ready timeout, is waited for, and gets no request before', async (t) => {
  const app = await App.start(t, 'web.cjs', { env: { LISTENS_AFTER_MS: '1500' }, options: ['--ready-timeout', '6s'] })
  await app.event('worker:spawned', () => true, 2)
  await assert.rejects(get({ port: app.port }), (error: RequestLost) => error.fate === 'refused')
  await app.event('primary:started')
  for (const { msg } of app.records.filter(({ event }) => event === 'worker:ready')) assert.match(msg, /ready in [1-5]/)
  assert.equal((await get({ port: app.port })).status, 200)
})

test('a crashed worker is replaced at once, in its slot', async (t) => {
  const app = await App.ready(t, 'web.cjs')
  const before = app.workerPids()
  await assert.rejects(get({ port: app.port }, '/exit?code=4'))
  const { slot, code, kind } = await app.event('worker:exited')
  assert.deepEqual([code, kind], [4, 'crash'])
  await app.event('worker:ready', (record) => record.slot === slot, 2)
  const after = app.workerPids()
  assert.notEqual(after[slot ?? -1], before[slot ?? -1])
  assert.equal(after[1 - (slot ?? 0)], before[1 - (slot ?? 0)])
})

test('uncaught exceptions (in a handler, in a timer) and an unhandled rejection end the worker as under plain node, and the log has their stack', async (t) => {
  const app = await App.ready(t, 'web.cjs')
  await assert.rejects(get({ port: app.port }, '/throw'))
  await app.event('worker:exited', ({ code }) => code === 1)
  await assert.rejects(get({ port: app.port }, '/reject'))
  await app.event('worker:exited', ({ code }) => code === 1, 2)
  await assert.rejects(get({ port: app.port }, '/throw-later'))
  await app.event('worker:exited', ({ code }) => code === 1, 3)
  assert.ok(app.output.some((line) => line.includes('thrown by a handler')))
  assert.ok(app.output.some((line) => line.includes('thrown by a timer')))
  assert.ok(app.output.some((line) => line.includes('rejected by a handler')))
})

test('an exit with code 0 in mid-life is replaced too', async (t) => {
  const app = await App.ready(t, 'web.cjs')
  await assert.rejects(get({ port: app.port }, '/exit?code=0'))
  const { slot } = await app.event('worker:exited', ({ code }) => code === 0)
  await app.event('worker:ready', (record) => record.slot === slot, 2)
})

test('while one worker serves, the others are tried again and nothing gives up', async (t) => {
  const app = await App.start(t, 'fails-in-slot-1.cjs')
  await app.event('worker:exited', ({ slot, kind }) => slot === 1 && kind === 'boot-failure', 3)
  await app.event('primary:phase', ({ msg }) => msg.startsWith('degraded'))
  assert.equal((await get({ port: app.port })).body, 'ok')
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
})

test('all workers killed at once: the waiting connections are served by their successors', async (t) => {
  const app = await App.ready(t, 'web.cjs')
  for (const pid of app.workerPids()) process.kill(pid, 'SIGKILL')
  const answers = await Promise.all(Array.from({ length: 20 }, () => get({ port: app.port })))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
})

test('a stopped supervisor stops no traffic, not even that of an app that writes a lot', async (t) => {
  const app = await App.ready(t, 'web.cjs', { env: { TALKS: '4000' } })
  app.kill('SIGSTOP')
  try {
    for (let count = 0; count < 300; count += 1) assert.equal((await get({ port: app.port })).status, 200)
  } finally {
    app.kill('SIGCONT')
  }
  await app.line(/asked for/, 300)
})

test('a stopped supervisor stops no traffic', async (t) => {
  const app = await App.ready(t, 'web.cjs')
  app.kill('SIGSTOP')
  try {
    for (let count = 0; count < 10; count += 1) assert.equal((await get({ port: app.port })).status, 200)
  } finally {
    app.kill('SIGCONT')
  }
})

test('the compiled code of the command is kept privately, and replaced when it is no good', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const cache = join(directory, 'compile-cache')
  const kept = (): string | undefined => readdirSync(directory).includes('compile-cache') ? readdirSync(cache).find((name) => /^main\.cjs-[0-9a-f]{16}-v[\d.]+-\w+-[0-9a-f]{1,8}$/.test(name)) : undefined
  const run = async (env: Readonly<Record<string, string>> = {}, wanted = async () => {}): Promise<void> => {
    const app = await App.ready(t, 'web.cjs', { workers: 1, env: { RUNTIME_DIRECTORY: directory, ...env } })
    await wanted()
    assert.deepEqual(await app.stop(), { code: 0, signal: null })
  }
  mkdirSync(cache, { mode: 0o700 })
  const old = join(cache, 'main.cjs-0123456789abcdef-v20.19.0-x64')
  writeFileSync(old, 'of a version that nobody runs any more')
  utimesSync(old, 0, 0)
  await run({}, () => until('the code is kept, and old code is gone', () => kept() !== undefined && !existsSync(old)))
  const path = join(cache, kept() ?? '')
  const whole = statSync(path)
  assert.equal(whole.mode & 0o777, 0o600)

  await run()
  assert.equal(statSync(path).mtimeMs, whole.mtimeMs, 'used and not written again')

  writeFileSync(path, readFileSync(path).subarray(0, 1000))
  await run({}, () => until('a half is replaced', () => statSync(path).size > 1000))

  writeFileSync(path, 'x')
  await run({ NODE_DISABLE_COMPILE_CACHE: '1' })
  chmodSync(directory, 0o777)
  await run({ RUNTIME_DIRECTORY: '', XDG_RUNTIME_DIR: '', TMPDIR: directory })
  assert.equal(readFileSync(path, 'utf8'), 'x', 'not touched when it is switched off, or elsewhere')
})

test('SIGTTIN adds a worker, SIGTTOU takes one away, and never the last', async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 1 })
  app.kill('SIGTTIN')
  await app.event('worker:ready', ({ slot }) => slot === 1)
  app.kill('SIGTTOU')
  await app.event('worker:exited', ({ slot, kind }) => slot === 1 && kind === 'retired')
  app.kill('SIGTTOU')
  // A signal that came before it has been dealt with when this one has.
  app.kill('SIGUSR2')
  await app.event('reload:finished')
  app.kill('SIGTTIN')
  await app.event('worker:ready', ({ slot }) => slot === 1, 2)
  assert.deepEqual(app.records.filter(({ event }) => event === 'scale:changed').map(({ msg }) => msg), ['scaling from 1 to 2 workers', 'scaling from 2 to 1 workers', 'scaling from 1 to 2 workers'])
})

test('the number of workers follows the CPUs that the process may use, until somebody chooses one', { skip: (process.platform !== 'linux' && 'taskset(1) is Linux') || (availableParallelism() < 2 && 'with one core nothing can change') }, async (t) => {
  const app = await App.start(t, 'web.cjs', { options: ['-w', 'auto'] })
  await app.event('primary:started')
  const allowed = execFileSync('taskset', ['-pc', String(app.pid)], { encoding: 'utf8' }).trim().split(': ')[1] ?? ''
  execFileSync('taskset', ['-pc', /\d+/.exec(allowed)?.[0] ?? '', String(app.pid)])
  await app.event('scale:changed', ({ msg }) => msg.endsWith('to 1 workers'))
  execFileSync('taskset', ['-pc', allowed, String(app.pid)])
  await app.event('scale:changed', ({ msg }) => msg.startsWith('scaling from 1 to'))
})
