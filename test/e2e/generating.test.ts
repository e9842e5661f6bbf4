import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'
import { CLI, freePort } from '../harness/app.ts'
import { get } from '../harness/http.ts'
import { hasSystemd, notifySocket } from '../harness/notify-socket.ts'
import { startService } from '../harness/service.ts'
import { readBySystemd, withUnits } from '../harness/systemd-units.ts'
import { until } from '../harness/until.ts'

const systemd = { skip: hasSystemd ? false : 'systemd is not installed' }
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** A directory of a user: `everycore` installed, a server, a lock file. */
function project(t: TestContext): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'everycore-test-')))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  mkdirSync(join(directory, 'node_modules'))
  symlinkSync(ROOT, join(directory, 'node_modules/everycore'), 'junction')
  writeFileSync(join(directory, 'package.json'), '{ "name": "@acme/shop", "main": "server.js" }')
  writeFileSync(join(directory, 'package-lock.json'), '{}')
  writeFileSync(join(directory, 'server.js'), `require('node:http').createServer((request, response) => response.end(process.argv.slice(2).join('|'))).listen(process.env.PORT)\n`)
  return directory
}

interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function generate(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'generate', ...args], { cwd, encoding: 'utf8', env: { ...process.env, ...env } })
  return { code: status, out: stdout, err: stderr }
}

function generated(cwd: string, args: readonly string[]): string {
  const { code, out, err } = generate(cwd, args)
  assert.equal(code, 0, err)
  return out
}

test('a unit runs as it stands: systemd hears when it is ready, reloads, and stops, and health says so', systemd, async (t) => {
  const directory = project(t)
  const port = await freePort()
  const runtime = join(directory, 'run')
  mkdirSync(runtime, { mode: 0o700 })
  const odd = ['a b', '100%', '$HOME', '"quoted"', '; x']
  const text = generated(directory, ['systemd', '-w', '1', '--port', String(port), 'server.js', ...odd])
  withUnits([{ path: 'acme-shop.service', text }], (units) => {
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', join(units, 'acme-shop.service')], { encoding: 'utf8' })
    assert.deepEqual([status, stderr.split('\n').filter((line) => line.includes('acme-shop'))], [0, []])
  })
  const { command, reload, mounts } = readBySystemd([{ path: 'acme-shop.service', text }])
  assert.ok(mounts.includes(directory))
  const notify = await notifySocket(t)
  const variables = { NOTIFY_SOCKET: notify.path, RUNTIME_DIRECTORY: runtime, NODE_ENV: 'production' }
  const service = startService(t, command, { cwd: directory, env: variables })
  await notify.message({ READY: '1' })
  assert.equal((await get({ port })).body, odd.join('|'))

  // Others may run apps at the same time.
  const health = (): number | null => spawnSync(process.execPath, [CLI, 'health', '--runtime-dir', runtime], { env: { PATH: process.env['PATH'], ...variables } }).status
  assert.equal(health(), 0)
  // The directory that systemd would have made.
  const reloaded = (): number | null => spawnSync(reload[0] ?? '', reload.slice(1).map((word) => word.replace('/run/everycore/acme-shop', runtime)), { cwd: directory, env: { PATH: process.env['PATH'], ...variables } }).status
  assert.equal(reloaded(), 0)
  await notify.message({ RELOADING: '1' })
  await notify.message({ READY: '1' }, 2)
  writeFileSync(join(directory, 'server.js'), 'throw new Error("a bad release")')
  assert.equal(reloaded(), 5, 'systemctl reload fails')
  assert.equal((await get({ port })).status, 200)
  service.child.kill('SIGTERM')
  await notify.message({ STOPPING: '1' })
  assert.deepEqual(await service.ended, { code: 0, signal: null })
  assert.equal(health(), 3, 'nothing runs any more')
})

test('an image runs as it stands: entry point, command and health check do what they say', async (t) => {
  const directory = project(t)
  const port = await freePort()
  const lines = generated(directory, ['docker', '--port', String(port), '-w', '1', 'server.js', '$HOME', "it's"]).split('\n')
  // The directory of the project stands in for the one in the image, and this Node for that of the image.
  const words = (name: string): readonly string[] => {
    const line = lines.find((one) => one.startsWith(`${name} `)) ?? ''
    const all = JSON.parse(line.slice(line.indexOf('['))) as readonly string[]
    return all.map((word) => (word === 'node' ? process.execPath : word.replace(/^\/app\//, `${directory}/`)))
  }
  // In a container no other app runs.
  const env = { EVERYCORE_RUNTIME_DIR: join(directory, 'run') }
  const service = startService(t, [...words('ENTRYPOINT'), ...words('CMD')], { cwd: directory, env })
  await until('it serves', async () => get({ port }).then(({ status }) => status === 200, () => false))
  assert.equal((await get({ port })).body, "$HOME|it's")
  const [node = '', ...check] = words('HEALTHCHECK')
  const health = (): number | null => spawnSync(node, [...check], { cwd: directory, env: { PATH: process.env['PATH'], ...env } }).status
  await until('it is healthy', () => health() === 0)
  service.child.kill('SIGTERM')
  assert.deepEqual(await service.ended, { code: 0, signal: null })
  assert.notEqual(health(), 0)
})

test('options of start may stand before and after the target; what follows the script belongs to the app', (t) => {
  const directory = project(t)
  for (const args of [['systemd', '-w', '3', '--no-rebalance', '--inspect=9300'], ['-w', '3', '--no-rebalance', '--inspect=9300', 'systemd']]) {
    const line = /^ExecStart=.*$/m.exec(generated(directory, [...args, 'server.js', '--write', '--port', '1', '--help']))?.[0] ?? ''
    assert.ok(line.endsWith(` ${directory}/node_modules/everycore/dist/cli.cjs start --workers 3 --no-rebalance --inspect=9300 ${directory}/server.js --write --port 1 --help`), line)
  }
  assert.match(generated(directory, ['systemd', '--', 'server.js', '-x']), / start \S+\/server\.js -x\n/)
  assert.match(generated(directory, ['systemd']), / start \S+\/server\.js\n/, 'the script of package.json')
  assert.match(generated(tmpdir(), ['systemd', '--cwd', directory, 'server.js']), new RegExp(`^WorkingDirectory=${directory}$`, 'm'))
})

test('the variables of the shell are not those of the service', (t) => {
  const directory = project(t)
  const canary = 'canary-5b1f'
  for (const target of ['systemd', 'docker', 'kubernetes', 'compose', 'grafana', 'alerts']) {
    const { code, out, err } = generate(directory, [target], { EVERYCORE_NAME: canary, EVERYCORE_GRACEFUL_TIMEOUT: '77', API_TOKEN: canary, PORT: '7777' })
    assert.deepEqual([code, err], [0, ''])
    assert.doesNotMatch(out, /canary|77/)
  }
})

test('--write writes the files beside the app, and replaces none unless it is told to', (t) => {
  const directory = project(t)
  assert.equal(generated(directory, ['docker', '--write', 'server.js']), 'wrote Dockerfile\nwrote .dockerignore\n')
  assert.match(readFileSync(join(directory, 'Dockerfile'), 'utf8'), /^CMD \["--port", "3000", "server\.js"\]$/m)
  rmSync(join(directory, 'Dockerfile'))
  writeFileSync(join(directory, '.dockerignore'), 'mine')
  const refused = generate(directory, ['docker', '--write', 'server.js'])
  assert.deepEqual([refused.code, refused.out], [2, ''])
  assert.match(refused.err, /\.dockerignore is there already[\s\S]*--force/)
  assert.equal(readFileSync(join(directory, '.dockerignore'), 'utf8'), 'mine')
  assert.throws(() => readFileSync(join(directory, 'Dockerfile')), { code: 'ENOENT' }, 'nothing was written')
  assert.equal(generate(directory, ['docker', '--write', '--force', 'server.js']).code, 0)
  assert.notEqual(readFileSync(join(directory, '.dockerignore'), 'utf8'), 'mine')
  const elsewhere = join(directory, 'elsewhere')
  writeFileSync(elsewhere, 'mine')
  symlinkSync(elsewhere, join(directory, 'compose.yaml'))
  assert.equal(generate(directory, ['compose', '--write', 'server.js']).code, 2)
  assert.equal(readFileSync(elsewhere, 'utf8'), 'mine')
})

test('one file is printed as it is, several with their names, and --json has them all', (t) => {
  const directory = project(t)
  assert.equal(parseAllDocuments(generated(directory, ['kubernetes', 'server.js'])).length, 4)
  const both = generated(directory, ['systemd', '--socket', '-p', '3000', 'server.js'])
  assert.match(both, /^# File: acme-shop\.service\n\[Unit\]\n[\s\S]*\n# File: acme-shop\.socket\n\[Unit\]\n/)
  const document = JSON.parse(generated(directory, ['systemd', '--json', '--socket', '-p', '3000', 'server.js'])) as { readonly schemaVersion: number; readonly written: boolean; readonly files: readonly { readonly path: string; readonly text: string }[] }
  assert.deepEqual([document.schemaVersion, document.written, document.files.map(({ path }) => path)], [1, false, ['acme-shop.service', 'acme-shop.socket']])
  assert.ok(document.files.every(({ text }) => both.includes(text)))
})

test('mistakes are told with what to do, and nothing is printed', (t) => {
  const directory = project(t)
  const mistakes: readonly (readonly [readonly string[], number, RegExp])[] = [
    [[], 2, /missing required argument 'target'/],
    [['k8s', 'server.js'], 2, /Did you mean everycore generate kubernetes\?/],
    [['sytemd', 'server.js'], 2, /Did you mean everycore generate systemd\?/],
    [['systemd', '--wokers', '2', 'server.js'], 2, /unknown option '--wokers'/],
    [['systemd', '-w', 'many', 'server.js'], 2, /"many" is not a number of workers/],
    [['systemd', 'sever.js'], 4, /Did you mean server\.js\?/],
    [['systemd', '--socket', 'server.js'], 2, /a socket unit needs a port/],
    [['docker', '--socket', 'server.js'], 2, /--socket means nothing for docker/],
    [['systemd', '--image', 'x', 'server.js'], 2, /--image means nothing for systemd/],
    [['docker', '--force', 'server.js'], 2, /--force means nothing without --write/],
    [['docker', '../elsewhere.js'], 4, /cannot find/],
  ]
  for (const [args, code, text] of mistakes) {
    const outcome = generate(directory, args)
    assert.deepEqual([outcome.code, outcome.out], [code, ''], args.join(' '))
    assert.match(outcome.err, text)
    assert.doesNotMatch(outcome.err, /^\s+at /m, 'no stack')
  }
})

test('from a config file: the command names it, and what it says counts', (t) => {
  const directory = project(t)
  const config = join(directory, 'everycore.config.json')
  writeFileSync(config, JSON.stringify({ script: 'server.js', workers: 3, port: 4000, drainDelayMs: 5000 }))
  const unit = generated(directory, ['systemd'])
  assert.match(unit, new RegExp(`^ExecStart=\\S+ ${directory}/node_modules/everycore/dist/cli\\.cjs start --config ${config}$`, 'm'))
  assert.match(unit, /^TimeoutStopSec=45$/m)
  const dockerfile = generated(directory, ['docker'])
  assert.match(dockerfile, /^CMD \["--port", "4000", "--config", "everycore\.config\.json"\]$/m)
  assert.match(generated(directory, ['docker', 'server.js', 'now']), /^CMD \["--port", "4000", "--config", "everycore\.config\.json", "server\.js", "now"\]$/m)

  writeFileSync(config, JSON.stringify({ apps: [{ name: 'api', script: 'server.js' }, { name: 'web', script: 'server.js' }] }))
  const refused = generate(directory, ['docker'])
  assert.deepEqual([refused.code, refused.out], [2, ''])
  assert.match(refused.err, /several apps: api, web/)
  assert.match(generated(directory, ['docker', '--only', 'web']), /^CMD \["--only", "web", "--port", "3000", "--config", "everycore\.config\.json"\]$/m)
})
