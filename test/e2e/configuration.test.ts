/** docs/configuration.md and docs/from-pm2.md: the real command and real files. */
import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, test, type TestContext } from 'node:test'
import { App, CLI, freePort } from '../harness/app.ts'
import { get } from '../harness/http.ts'
import { processesOf, RUN_VARIABLE } from '../harness/processes.ts'
import { until } from '../harness/until.ts'

const ROOT = join(import.meta.dirname, '../..')
const SERVER = "require('node:http').createServer((request, response) => response.end(process.env.GREETING)).listen(process.env.PORT)\n"
const CANARY = 'canary-6f1d'

/** A project of a user. */
function project(t: TestContext, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-config-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  for (const [name, text] of Object.entries({ 'package.json': '{ "name": "shop" }', 'server.js': SERVER, ...files })) writeFileSync(join(directory, name), text)
  return directory
}

interface Result {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function everycore(cwd: string, argv: readonly string[], env: Readonly<Record<string, string>> = {}): Result {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...argv], { cwd, encoding: 'utf8', timeout: 60_000, env: { ...process.env, NO_COLOR: '1', ...env } })
  return { code: status, out: stdout, err: stderr }
}

/** Starts the command and collects what it prints; kills what is left in the end. */
function start(t: TestContext, cwd: string, argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const runId = randomUUID()
  const child: ChildProcess = spawn(process.execPath, [CLI, ...argv], { cwd, env: { ...process.env, NO_COLOR: '1', ...env, [RUN_VARIABLE]: runId }, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { text: '' }
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output.text += text))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  t.after(async () => {
    for (const { pid } of processesOf(runId)) process.kill(pid, 'SIGKILL')
    await ended
  })
  const said = async (pattern: RegExp): Promise<void> => until(`${pattern} in the output`, () => pattern.test(output.text), 30_000).catch((cause: unknown) => assert.fail(`${String(cause)}\n${output.text}`))
  return { child, output, ended, said, left: () => processesOf(runId) }
}

test('a reload reads the config anew, and says what it cannot change', async (t) => {
  const directory = project(t, { 'everycore.config.mjs': "export default { env: { GREETING: 'one' } }" })
  const app = await App.ready(t, join(directory, 'server.js'), { cwd: directory, workers: 1 })
  assert.equal((await get({ port: app.port })).body, 'one')
  writeFileSync(join(directory, 'everycore.config.mjs'), "export default { env: { GREETING: 'two' }, gracefulTimeoutMs: '3s' }")
  app.child.kill('SIGUSR2')
  await app.event('reload:finished')
  assert.equal((await get({ port: app.port })).body, 'two')
  assert.ok(app.records.some(({ msg }) => msg.startsWith('gracefulTimeoutMs has changed, which takes a restart')), app.transcript)

  writeFileSync(join(directory, 'everycore.config.mjs'), '\n\nnope()')
  app.child.kill('SIGUSR2')
  const { msg } = await app.event('reload:refused')
  assert.match(msg, /cannot load everycore\.config\.mjs: ReferenceError: nope is not defined \(.*everycore\.config\.mjs:3\)/)
  assert.equal((await get({ port: app.port })).body, 'two')
  await app.stop()
})

test('a config in TypeScript needs nothing but Node or tsx, and leaves no process behind', async (t) => {
  const directory = project(t, { 'everycore.config.ts': "enum Word { hello = 'typed' }\nexport default { env: { GREETING: Word.hello as string } }" })
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'), 'junction')
  const app = await App.ready(t, join(directory, 'server.js'), { cwd: directory, workers: 1 })
  assert.equal((await get({ port: app.port })).body, 'typed')
  assert.deepEqual(processesOf(app.runId).filter(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('esbuild')), [])
  await app.stop()
})

test('a config that cannot be loaded ends with code 4, without a stack', (t) => {
  for (const [name, text] of [['everycore.config.mjs', 'export default {\n  x y\n}'], ['everycore.config.json', '{\n  "a"\n}']] as const) {
    const { code, err } = everycore(project(t, { [name]: text }), [])
    assert.equal(code, 4)
    assert.match(err, /^everycore: cannot (?:load|parse) everycore\.config/)
    assert.match(err, name.endsWith('json') ? /Line 3 is not JSON/ : /config\.mjs:2\)/)
    assert.doesNotMatch(err, /\n\s+at /)
  }
})

test('--no-config reads none, and --config another', (t) => {
  const directory = project(t, { 'everycore.config.mjs': 'nope()', 'other.json': '{ "workers": 3 }' })
  assert.equal(everycore(directory, ['check']).code, 4)
  assert.match(everycore(directory, ['check', '--no-config']).out, /^no config file: nothing is wrong/)
  assert.match(everycore(directory, ['check', '-c', 'other.json']).out, /3 workers/)
  assert.match(everycore(directory, ['check'], { EVERYCORE_CONFIG: 'other.json' }).out, /3 workers/)
  assert.equal(everycore(directory, ['check', '-c', 'gone.json']).code, 4)
})

/** A config of two, by their ports. */
const config = (ports: readonly number[]): string => JSON.stringify({ workers: 1, script: 'server.js', apps: [{ name: 'api', port: ports[0], env: { GREETING: 'api' } }, { name: 'web', port: ports[1], env: { GREETING: 'web' } }] })

describe('several apps', () => {
  it('have a supervisor each below one parent, and one goes on without the other', async (t) => {
    const [api, web] = [await freePort(), await freePort()]
    const run = start(t, project(t, { 'everycore.config.json': config([api, web]) }), [])
    await run.said(/^api \| everycore: listening on /m)
    await run.said(/^web \| everycore: listening on /m)
    assert.deepEqual([(await get({ port: api })).body, (await get({ port: web })).body], ['api', 'web'])
    const supervisor = run.left().find(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--only\0api'))
    assert.ok(supervisor)
    process.kill(supervisor.pid, 'SIGKILL')
    await run.said(/^everycore: api has ended with code 1; web goes on$/m)
    assert.equal((await get({ port: web })).body, 'web')
    run.child.kill('SIGURG')
    await run.said(/cannot upgrade several apps/)
    run.child.kill('SIGTERM')
    assert.equal(await run.ended, 1)
    await until('no process is left', () => run.left().length === 0)
  })

  it('end with their parent, also when it is killed', async (t) => {
    const run = start(t, project(t, { 'everycore.config.json': config([await freePort(), await freePort()]) }), [])
    await run.said(/^api \| everycore: listening on /m)
    await run.said(/^web \| everycore: listening on /m)
    run.child.kill('SIGKILL')
    await until('no process is left', () => run.left().length === 0, 30_000)
  })

  it('may be signalled as soon as the parent runs', async (t) => {
    const run = start(t, project(t, { 'everycore.config.json': config([await freePort(), await freePort()]) }), [])
    await until('an app is started', () => run.left().length > 1)
    run.child.kill('SIGTERM')
    assert.equal(await run.ended, 0, run.output.text)
  })

  for (const [argv, message] of [
    [['server.js'], /a script was named, and the config has several apps: api, web/],
    [['--name', 'x'], /--name cannot hold for several apps/],
    [['--only', 'apy'], /--only: there is no app apy in everycore\.config\.json\n\s+Did you mean api\? It has: api, web\./],
  ] as const) {
    it(`are not what ${argv.join(' ')} means`, (t) => {
      const { code, err } = everycore(project(t, { 'everycore.config.json': config([1, 2]) }), argv)
      assert.equal(code, 2)
      assert.match(err, message)
    })
  }

  it('are no service of systemd', (t) => {
    const { code, err } = everycore(project(t, { 'everycore.config.json': config([1, 2]) }), [], { NOTIFY_SOCKET: '/nowhere' })
    assert.equal(code, 2)
    assert.match(err, /Give each app a unit, with --only/)
  })
})

describe('the verbs of the configuration', () => {
  const files = {
    'everycore.config.mjs': `export default { workers: 2, env: { SECRET: '${CANARY}' }, envFiles: ['.env'], nodeArgs: ['--no-warnings'], args: ['--api-token', '${CANARY}', '--password=${CANARY}'] }`,
    '.env': `FROM_FILE=${CANARY}\n`,
  }

  it('config tells every value and where it came from, and no secret', (t) => {
    const directory = project(t, files)
    const env = { EVERYCORE_GRACEFUL_TIMEOUT: '5' }
    const { code, out } = everycore(directory, ['config', '--json', '--surge', '25%'], env)
    assert.equal(code, 0)
    const { schemaVersion, file, apps } = JSON.parse(out) as { schemaVersion: number; file: string; apps: { variables: string[]; settings: Record<string, object> }[] }
    assert.deepEqual([schemaVersion, file, apps.length], [1, 'everycore.config.mjs', 1])
    assert.deepEqual([apps[0]?.settings['workers'], apps[0]?.settings['surge'], apps[0]?.settings['gracefulTimeoutMs'], apps[0]?.settings['probe']], [
      { value: '2', origin: 'config', from: 'workers (everycore.config.mjs)' },
      { value: '25%', origin: 'flag', from: '--surge' },
      { value: '5s', origin: 'environment', from: 'EVERYCORE_GRACEFUL_TIMEOUT' },
      { value: 'off', origin: 'default', from: null },
    ])
    assert.deepEqual(apps[0]?.variables.filter((name) => ['SECRET', 'FROM_FILE'].includes(name)), ['FROM_FILE', 'SECRET'])
    const text = everycore(directory, ['config'], env)
    assert.match(text.out, /^ {2}workers +2 +workers \(everycore\.config\.mjs\)$/m)
    assert.ok(!`${out}${text.out}${text.err}`.includes(CANARY))
  })

  it('config --schema prints the schema that is shipped', (t) => {
    assert.deepEqual(JSON.parse(everycore(project(t, {}), ['config', '--schema']).out), JSON.parse(readFileSync(join(ROOT, 'dist/schema.json'), 'utf8')))
  })

  it('check tells all that is wrong at once, and no secret', (t) => {
    const directory = project(t, { ...files, 'everycore.config.mjs': files['everycore.config.mjs'].replace('workers: 2', 'workers: 0, wrokers: 1'), '.env': `nonsense ${CANARY}` })
    const { code, err } = everycore(directory, ['check', 'gone.js'])
    assert.equal(code, 2)
    for (const part of ['unknown key "wrokers"', 'workers (everycore.config.mjs): 0 is not', 'cannot parse env file .env: line 1', 'cannot find gone.js']) assert.ok(err.includes(part), `${part}\n${err}`)
    assert.ok(!err.includes(CANARY))
    assert.deepEqual(everycore(project(t, files), ['check']).code, 0)
  })

  it('check has Node parse the script', (t) => {
    const { code, err } = everycore(project(t, { 'server.js': 'a b c' }), ['check'])
    assert.equal(code, 4)
    assert.match(err, /cannot load .*server\.js\n.*SyntaxError: .*server\.js:1\)/)
  })

  it('init writes a config that changes nothing, once', (t) => {
    const directory = project(t, {})
    assert.equal(everycore(directory, ['init']).code, 0)
    const { settings } = (JSON.parse(everycore(directory, ['config', '--json']).out) as { apps: { settings: Record<string, { origin: string }> }[] }).apps[0] ?? assert.fail('no app')
    assert.ok(Object.values(settings).every(({ origin }) => origin === 'default'))
    const again = everycore(directory, ['init'])
    assert.equal(again.code, 2)
    assert.match(again.err, /there is a config file/)
  })
})

/** But for the names of where values come from. */
const valuesOf = (apps: readonly object[]): string => JSON.stringify(apps).replaceAll(/"from":"[^"]*"/g, '"from":""')

describe('a file of PM2', () => {
  const ecosystem = "module.exports = { apps: [{ name: 'shop api', script: 'server.js', instances: 1, env: { GREETING: 'plain' }, env_production: { GREETING: 'production' }, watch: true }] }"

  it('is started as it is, with its modes, and what is left out is said', async (t) => {
    const port = await freePort()
    const run = start(t, project(t, { 'ecosystem.config.js': ecosystem }), ['start', 'ecosystem.config.js', '--env', 'production', '-p', String(port)])
    await run.said(/listening on/)
    assert.equal((await get({ port })).body, 'production')
    assert.match(run.output.text, /ecosystem\.config\.js: watch is left out: for development/)
    run.child.kill('SIGTERM')
    assert.equal(await run.ended, 0)
  })

  it('becomes a config that runs the same', (t) => {
    const directory = project(t, { 'ecosystem.config.js': ecosystem })
    const of = (argv: readonly string[]) => (JSON.parse(everycore(directory, ['config', '--json', ...argv]).out) as { apps: object[] }).apps.map((app) => ({ ...app, warnings: [] }))
    const before = of(['-c', 'ecosystem.config.js', '--env', 'production'])
    const { code, out } = everycore(directory, ['migrate', 'pm2', '--write'])
    assert.equal(code, 0)
    assert.match(out, /wrote .*everycore\.config\.mjs\nshop-api: watch is left out/)
    assert.equal(valuesOf(of(['--mode', 'production'])), valuesOf(before))
    assert.equal(everycore(directory, ['migrate', 'pm2', '--write']).code, 2)
  })
})
