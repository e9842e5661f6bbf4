import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { App, CLI, fixture } from '../harness/app.ts'

interface Run {
  readonly code: number | null
  readonly stderr: string
  readonly stdout: string
}

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function everycore(args: readonly string[], options: { readonly cwd?: string; readonly uid?: number; readonly env?: Readonly<Record<string, string>> } = {}): Run {
  const { status, stderr, stdout } = spawnSync(process.execPath, [CLI, ...args], {
    encoding: 'utf8',
    timeout: 20_000,
    cwd: options.cwd,
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    env: { ...process.env, PORT: '0', NO_COLOR: '1', ...options.env },
  })
  assert.doesNotMatch(stderr, /^\s+at .*dist/m, 'no stack of ours')
  return { code: status, stderr, stdout }
}

/** What is wrong, the exit code, and what the message must say. */
const usage: readonly (readonly [string, readonly string[], number, RegExp])[] = [
  ['a script that is not there', ['nothing-here.js'], 4, /nothing-here\.js/],
  ['a directory without an index', [fixture('tls')], 4, /directory/i],
  ['an unknown option, with the nearest one', ['--worker', '2', fixture('web.cjs')], 2, /--workers/],
  ['-w 0', ['-w', '0', fixture('web.cjs')], 2, /workers/],
  ['-w abc', ['-w', 'abc', fixture('web.cjs')], 2, /abc/],
  ['-w 9999', ['-w', '9999', fixture('web.cjs')], 2, /1024/],
  ['-w 1.5', ['-w', '1.5', fixture('web.cjs')], 2, /1\.5/],
  ['a port that is none', ['-p', '70000', fixture('web.cjs')], 2, /70000/],
  ['an env file that is not there', ['-e', 'nothing.env', fixture('web.cjs')], 2, /nothing\.env/],
  ['a duration that is none', ['--ready-timeout', 'soon', fixture('web.cjs')], 2, /soon/],
  ['a log format that is none', ['--log-format', 'xml', fixture('web.cjs')], 2, /xml/],
  ['a signal that is none', ['--kill-signal', 'SIGNOPE', fixture('web.cjs')], 2, /SIGNOPE/],
]
for (const [what, args, code, says] of usage) {
  test(`${what}: exit code ${code} and a message that says so`, () => {
    const run = everycore(args)
    assert.equal(run.code, code, run.stderr)
    assert.match(run.stderr, says)
    assert.equal(run.stdout, '')
  })
}

test('all problems are told at once', () => {
  const { code, stderr } = everycore(['-w', 'abc', '-p', 'x', '--ready-timeout', 'soon', fixture('web.cjs')])
  assert.equal(code, 2)
  for (const word of ['abc', 'soon', '"x"']) assert.ok(stderr.includes(word), stderr)
})

test('no script and none to be found: says what was looked for', (t) => {
  const { code, stderr } = everycore([], { cwd: scratch(t) })
  assert.equal(code, 2)
  assert.match(stderr, /package\.json/)
  assert.match(stderr, /server\.js/)
})

test('no script, but a package.json with main, or a usual name', (t) => {
  const directory = scratch(t)
  writeFileSync(join(directory, 'server.js'), 'process.exit(0)')
  assert.match(everycore([], { cwd: directory }).stderr, /server\.js ended before it was ready/)
  writeFileSync(join(directory, 'entry.js'), 'process.exit(0)')
  writeFileSync(join(directory, 'package.json'), '{ "main": "entry.js" }')
  assert.match(everycore([], { cwd: directory }).stderr, /entry\.js ended before it was ready/)
})

test('an unreadable script: exit code 4', { skip: process.getuid?.() === 0 && spawnSync(process.execPath, ['--version'], { uid: 65_534 }).status !== 0 && 'only root, who reads everything, can run this Node' }, (t) => {
  const directory = scratch(t)
  chmodSync(directory, 0o755)
  const path = join(directory, 'secret.js')
  writeFileSync(path, '')
  chmodSync(path, 0)
  // Root reads everything, so as somebody else.
  const { code, stderr } = everycore([path], { cwd: '/', ...(process.getuid?.() === 0 ? { uid: 65_534 } : {}) })
  assert.equal(code, 4)
  assert.match(stderr, /secret\.js/)
})

test('an env file with a line that is none', (t) => {
  const path = join(scratch(t), 'bad.env')
  writeFileSync(path, 'GOOD=1\nthis is no assignment\n')
  const { code, stderr } = everycore(['-e', path, fixture('web.cjs')])
  assert.equal(code, 2)
  assert.match(stderr, /2/)
})

test('a runtime directory that others can write is refused when it was asked for', (t) => {
  const directory = join(scratch(t), 'run')
  mkdirSync(directory)
  chmodSync(directory, 0o777)
  const { code, stderr } = everycore(['--runtime-dir', directory, fixture('web.cjs')])
  assert.equal(code, 1)
  assert.ok(stderr.includes(directory))
})

test('a runtime directory that cannot be made is refused when it was asked for', () => {
  const { code, stderr } = everycore(['--runtime-dir', '/dev/null/run', fixture('web.cjs')])
  assert.equal(code, 1)
  assert.match(stderr, /\/dev\/null\/run/)
})

/** Scripts that do not become a server. */
const scripts: readonly (readonly [string, string, number, RegExp])[] = [
  ['a syntax error (CommonJS)', 'syntax-error.cjs', 4, /SyntaxError/],
  ['a syntax error (ESM)', 'syntax-error.mjs', 4, /SyntaxError/],
  ['a throw at import (CommonJS)', 'throws.cjs', 4, /thrown at import/],
  ['a throw at import (ESM)', 'throws.mjs', 4, /thrown at import/],
  ['a rejected top-level await', 'throws-await.mjs', 4, /rejected at top level/],
  ['an import that does not exist', 'missing-import.mjs', 4, /is-not-there/],
  ['an error from outside before it is ready', 'throws-later.cjs', 3, /ECONNREFUSED/],
  ['an exit with code 0', 'exits-zero.cjs', 3, /code 0/],
  ['an exit with code 7', 'exits-seven.cjs', 3, /code 7/],
]
for (const [what, script, code, says] of scripts) {
  test(`${what}: exit code ${code}, one try for each worker, the cause told`, async (t) => {
    const app = await App.start(t, script)
    assert.equal((await app.ended).code, code, app.transcript)
    const last = app.records.filter(({ code: errorCode }) => typeof errorCode === 'string' && errorCode.startsWith('ERR_EVERYCORE'))
    assert.match(last.map(({ msg }) => msg).join('\n'), says)
    assert.equal(app.records.filter(({ event }) => event === 'worker:spawned').length, 2)
  })
}

test('an app that never listens: exit code 3 after the ready timeout', async (t) => {
  const app = await App.start(t, 'never-listens.cjs', { options: ['--ready-timeout', '500ms'] })
  assert.equal((await app.ended).code, 3)
  assert.match(app.transcript, /not ready within 500ms/)
})

test('an app that dies young again and again is given up with exit code 3, after a bounded number of tries', async (t) => {
  const app = await App.start(t, 'crashes-young.cjs', { workers: 1 })
  assert.equal((await app.ended).code, 3)
  const spawned = app.records.filter(({ event }) => event === 'worker:spawned').length
  assert.ok(spawned >= 2 && spawned <= 6, `${spawned} tries`)
})


test('stdout closed: the service goes on', async (t) => {
  const app = await App.ready(t, 'web.cjs')
  app.child.stdout?.destroy()
  app.child.stderr?.destroy()
  const { get } = await import('../harness/http.ts')
  for (let count = 0; count < 20; count += 1) assert.equal((await get({ port: app.port })).status, 200)
  assert.equal(app.child.exitCode, null)
})
