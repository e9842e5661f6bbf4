import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { call, follow } from '../../src/control/client.ts'
import type { StatusReport } from '../../src/protocol/control.ts'
import { App } from '../harness/app.ts'
import { Connection } from '../harness/http.ts'
import { Program } from '../harness/program.ts'
import { until } from '../harness/until.ts'
import { runtimeDir, startVerb, verb } from '../harness/verb.ts'

const started = async (t: Parameters<typeof App.ready>[0], directory: string, script = 'web.cjs', options: readonly string[] = [], more: Parameters<typeof App.ready>[2] = {}): Promise<App> => {
  const app = await App.ready(t, script, { ...more, options: ['--runtime-dir', directory, '-n', 'shop', '--min-uptime', '100ms', ...options] })
  await app.record('the control socket', ({ event }) => event === 'control:opened')
  return app
}

test('the control socket is for its owner alone, and curl gets the status', async (t) => {
  const directory = runtimeDir(t)
  const before = process.umask(0)
  t.after(() => process.umask(before))
  const app = await started(t, directory)
  const path = join(directory, 'shop.sock')
  assert.deepEqual([statSync(path).mode & 0o7777, statSync(directory).mode & 0o7777], [0o600, 0o700])
  const report = JSON.parse(execFileSync('curl', ['-s', '--unix-socket', path, 'http://localhost/v1/status'], { encoding: 'utf8' })) as StatusReport
  assert.deepEqual([report.schemaVersion, report.name, report.pid, report.state, report.size, report.generation], [1, 'shop', app.pid, 'running', 2, 1])
  assert.deepEqual(report.verdict, ['all 2 workers are ready'])
  assert.deepEqual(report.workers.map(({ slot, pid, state, generation, restarts, lastExit }) => ({ slot, pid, state, generation, restarts, lastExit })), app.workerPids().map((pid, slot) => ({ slot, pid, state: 'ready', generation: 1, restarts: 0, lastExit: null })))
  assert.deepEqual(report.addresses, [{ kind: 'http', address: '::', port: app.port }])
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
  assert.equal(existsSync(path), false, 'the socket goes with the supervisor')
})

test('another user of the machine cannot connect, also when the directory is open to all', { skip: process.getuid?.() !== 0 && 'only root can become somebody else' }, async (t) => {
  const directory = runtimeDir(t)
  const app = await started(t, directory)
  const script = `require('node:net').connect(${JSON.stringify(join(directory, 'shop.sock'))}).on('connect', function () { console.log('connected'); this.destroy() }).on('error', ({ code }) => console.log(code))`
  const connect = (uid: number): string => execFileSync(process.execPath, ['-e', script], { uid, gid: uid, cwd: '/', encoding: 'utf8' }).trim()
  assert.equal(connect(65_534), 'EACCES')
  chmodSync(directory, 0o755)
  assert.equal(connect(65_534), 'EACCES')
  assert.equal(connect(0), 'connected')
  await app.stop()
})

test('no value of the environment and no argument is told to anybody', async (t) => {
  const directory = runtimeDir(t)
  const canary = 'CANARY_d41d8cd98f00'
  const app = await started(t, directory, 'web.cjs', [], { env: { SECRET: canary }, args: [`--password=${canary}`] })
  const events: unknown[] = []
  const ending = new AbortController()
  const stream = follow(join(directory, 'shop.sock'), 'events', {}, (event) => events.push(event), ending.signal).catch(() => {})
  const shown = await Promise.all([verb(directory, 'status'), verb(directory, 'status', '--json'), verb(directory, 'ls', '--json'), verb(directory, 'reload', '--json')])
  ending.abort()
  await stream
  assert.equal(shown.some(({ code }) => code !== 0), false, JSON.stringify(shown))
  assert.ok(events.length > 5)
  assert.equal(JSON.stringify([shown, events]).includes(canary), false)
  await app.stop()
})

test('an app whose name is taken gets one with a number, and what a killed supervisor has left is replaced', async (t) => {
  const directory = runtimeDir(t)
  const first = await started(t, directory)
  const second = await started(t, directory)
  const listed = JSON.parse((await verb(directory, 'ls', '--json')).out) as { readonly apps: readonly { readonly name: string; readonly pid: number }[] }
  assert.deepEqual(listed.apps.map(({ name, pid }) => [name, pid]), [['shop-2', second.pid], ['shop', first.pid]])
  assert.deepEqual(await verb(directory, 'status'), { code: 2, out: '', err: 'everycore: 2 apps run: which one?\n  shop-2, shop\n  Say its name after the verb, or with -n.\n' })
  first.kill('SIGKILL')
  await first.ended
  assert.equal(existsSync(join(directory, 'shop.sock')), true, 'nobody could remove it')
  const third = await started(t, directory)
  assert.equal((await call(join(directory, 'shop.sock'), 'status')).pid, third.pid)
  second.kill('SIGKILL')
  await second.ended
  assert.match((await verb(directory, 'ls')).out, /^NAME .*\nshop .*\n$/)
  assert.equal(existsSync(join(directory, 'shop-2.sock')), false, 'ls removes dead ones')
  await third.stop()
})

test('what is no socket of a dead supervisor is left alone', async (t) => {
  const directory = runtimeDir(t)
  const victim = join(directory, 'victim')
  writeFileSync(victim, 'untouched')
  symlinkSync(victim, join(directory, 'shop.sock'))
  const app = await started(t, directory)
  assert.equal(readFileSync(victim, 'utf8'), 'untouched')
  assert.equal((await call(join(directory, 'shop-2.sock'), 'status')).pid, app.pid)
  await app.stop()
})

test('verbs say when nothing runs, when there is no way in, and when nobody answers', async (t) => {
  const directory = runtimeDir(t)
  const nothing = await verb(directory, 'status')
  assert.deepEqual([nothing.code, nothing.out], [3, ''])
  assert.match(nothing.err, /^everycore: no app runs\n/)
  const json = await verb(directory, 'status', 'shop', '--json')
  assert.deepEqual([json.code, json.err], [3, ''])
  const { schemaVersion, error } = JSON.parse(json.out) as { readonly schemaVersion: number; readonly error: { readonly code: string } }
  assert.deepEqual([schemaVersion, error.code], [1, 'ERR_EVERYCORE_NOT_RUNNING'])
  const rude = createServer((socket) => socket.on('error', () => {}).end('220 mail ready\r\n')).listen(join(directory, 'mail.sock'))
  await once(rude, 'listening')
  assert.equal((await verb(directory, 'status', 'mail')).code, 6)
  rude.close()
})

/** Has a worker hang; fulfilled when it is gone. */
async function hang(app: App): Promise<void> {
  const connection = await Connection.open({ port: app.port })
  await assert.rejects(connection.request('/hang'))
  connection.close()
}

test('the status is told while a worker hangs, and while a reload runs', async (t) => {
  const directory = runtimeDir(t)
  const app = await started(t, directory, 'web.cjs', ['--min-uptime', '1s', '--hang-timeout', '2s'], { workers: 1 })
  const path = join(directory, 'shop.sock')
  const hanging = hang(app)
  await app.line(/^hanging/)
  const { workers: [hung] } = await call(path, 'status')
  assert.deepEqual([hung?.slot, hung?.state], [0, 'ready'], 'nobody has noticed yet')
  await hanging
  await app.event('worker:ready', () => true, 2)
  const { workers: [next], verdict: sentences } = await call(path, 'status')
  assert.deepEqual([next?.restarts, next?.lastExit?.reason], [1, 'stalled'])
  assert.match(sentences.join(), /worker 0 hung and was killed \d+s ago/)
  const reload = call(path, 'reload')
  await app.event('reload:started')
  const { reload: status, verdict } = await call(path, 'status')
  assert.deepEqual([status?.state, status?.from, status?.to, status?.slots.length], ['rolling', 1, 2, 1])
  assert.match(verdict.join(), /reloading to generation 2: 0 of 1 slots are done/)
  assert.equal((await reload).generation, 2)
  await app.stop()
})

test('a reload is shown slot by slot, and answered when it is done', async (t) => {
  const directory = runtimeDir(t)
  const app = await started(t, directory)
  const { code, out, err } = await verb(directory, 'reload')
  assert.deepEqual([code, err], [0, ''])
  assert.match(out, /^slot 0: booting\nslot 0: ready\nslot 0: old worker drains.*\n/)
  assert.match(out, /\nreloaded to generation 2 in \S+, 0 requests failed\n$/)
  for (const step of ['booting', 'ready', 'old worker drains']) assert.ok(out.includes(`slot 1: ${step}`), out)
  assert.equal((await call(join(directory, 'shop.sock'), 'status')).generation, 2)
  await app.stop()
})

test('a reload that fails ends with exit code 5 and the reason, and one that is aborted, too', async (t) => {
  const directory = runtimeDir(t)
  const script = join(directory, 'app.cjs')
  writeFileSync(script, `require('node:http').createServer((_, response) => response.end('ok')).listen(process.env.PORT)`)
  const app = await started(t, directory, script)
  writeFileSync(script, `console.error('last words'); throw new Error('bad release')`)
  const failed = await verb(directory, 'reload')
  assert.equal(failed.code, 5, failed.err)
  assert.match(failed.err, /^everycore: the reload was aborted at slot 0\n {2}boot-failure: Error: bad release\n/)
  writeFileSync(script, `setInterval(() => {}, 1000)`)
  const waiting = startVerb(directory, 'reload')
  await waiting.says(/slot 0: booting/)
  assert.deepEqual(await verb(directory, 'reload', '--abort'), { code: 0, out: 'the reload is aborted: the old workers go on serving\n', err: '' })
  const aborted = await waiting.ended
  assert.deepEqual([aborted.code, aborted.err], [5, 'everycore: the reload was aborted\n  somebody asked for that\n  the old workers go on serving\n'])
  assert.equal((await verb(directory, 'reload', '--abort')).code, 1, 'there is none any more')
  assert.equal((await call(join(directory, 'shop.sock'), 'status')).generation, 1)
  await app.stop()
})

test('Ctrl-C leaves a reload running, and says so', async (t) => {
  const directory = runtimeDir(t)
  const app = await started(t, directory, 'web.cjs', ['--min-uptime', '1s'])
  const waiting = startVerb(directory, 'reload')
  await waiting.says(/slot 0: ready/)
  waiting.interrupt()
  const { code, err } = await waiting.ended
  assert.deepEqual([code, err.trim()], [130, 'the reload goes on. everycore reload --abort -n shop turns it back'])
  await app.event('reload:finished')
  await app.stop()
})

test('a restart replaces all at once, scale changes their number, stop ends the app', async (t) => {
  const directory = runtimeDir(t)
  const app = await started(t, directory)
  const before = app.workerPids()
  assert.match((await verb(directory, 'restart')).out, /restarted to generation 2 in \S+, 0 requests failed\n$/)
  const gone = app.records.findIndex(({ event, generation }) => event === 'worker:exited' && generation === 1)
  const born = app.records.findIndex(({ event, generation }) => event === 'worker:spawned' && generation === 2)
  assert.ok(gone !== -1 && gone < born, 'no new worker before the old have left')
  assert.equal(app.workerPids().some((pid) => before.includes(pid)), false)
  assert.equal((await verb(directory, 'scale', '+1')).out, 'scaled from 2 to 3 workers\n')
  assert.equal((await verb(directory, 'scale', '-1', 'shop')).out, 'scaled from 3 to 2 workers\n')
  assert.equal((await verb(directory, 'scale', '1', '-n', 'shop', '--json')).out, '{"schemaVersion":1,"from":2,"size":1}\n')
  for (const size of ['0', '1e9', '1000000000', '-2', 'many']) assert.equal((await verb(directory, 'scale', size)).code, 2, size)
  assert.equal((await verb(directory, 'scale', '-1')).code, 2, 'the last one stays')
  const stopped = await verb(directory, 'stop')
  assert.deepEqual([stopped.code, stopped.out], [0, 'worker 0 has left, 0 to go\nshop has stopped\n'])
  assert.deepEqual(await app.ended, { code: 0, signal: null })
  assert.equal((await verb(directory, 'stop')).code, 3)
})

test('an upgrade leaves the control socket to the successor', async (t) => {
  const directory = runtimeDir(t)
  const app = await started(t, directory)
  const path = join(directory, 'shop.sock')
  process.kill(app.pid, 'SIGURG')
  await until('the successor answers', async () => (await call(path, 'status')).pid !== app.pid, 30_000)
  await until('the predecessor has ended', () => app.child.exitCode !== null)
  assert.equal(app.child.exitCode, 0)
  assert.equal((await call(path, 'status')).state, 'running')
  assert.equal((await verb(directory, 'reload')).code, 0)
  assert.equal((await verb(directory, 'stop')).code, 0)
  assert.equal(existsSync(path), false)
  await app.ended
})

test('the library opens a control socket when it is asked to, and ends with it', async (t) => {
  const directory = runtimeDir(t)
  const program = Program.start(t, `
    const supervisor = await createSupervisor({ script: 'web.cjs', workers: 1, name: 'shop', control: true, runtimeDir: ${JSON.stringify(directory)} })
    await supervisor.start()
    report('ready', null)
    await supervisor.done
    report('done', null)
  `, { PORT: '0' })
  await program.report('ready')
  const path = join(directory, 'shop.sock')
  assert.equal((await call(path, 'status')).pid, program.child.pid)
  assert.equal((await verb(directory, 'stop')).code, 0)
  await program.report('done')
  assert.equal(await program.ended, 0, program.stderr)
  assert.equal(existsSync(path), false)
})

test('-d returns when all workers are ready, and tells a start that fails', async (t) => {
  const directory = runtimeDir(t)
  chmodSync(directory, 0o700)
  mkdirSync(join(directory, 'apps'))
  const script = join(directory, 'apps/app.cjs')
  writeFileSync(script, `require('node:http').createServer((_, response) => response.end('ok')).listen(0); console.log('hello')`)
  const ready = await verb(directory, '-w', '2', '-d', '-n', 'shop', script)
  assert.equal(ready.code, 0, ready.err)
  const log = /Log +(\S+)/.exec(ready.out)?.[1] ?? ''
  assert.match(ready.out, /^shop runs in the background: 2 workers, pid \d+\n {2}Listening {2}http:\/\/localhost:\d+\n/)
  assert.equal(statSync(log).mode & 0o7777, 0o600)
  const { pid } = await call(join(directory, 'shop.sock'), 'status')
  const [ppid, , session] = /^\d+ \(.*\) \S (\d+) (\d+) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.slice(1).map(Number) ?? []
  assert.deepEqual([ppid === process.pid, session], [false, pid], 'it has a session of its own')
  assert.equal((await verb(directory, 'stop')).code, 0)
  assert.match(readFileSync(log, 'utf8'), /^hello$/m)
  writeFileSync(script, `throw new Error('bad release')`)
  const failed = await verb(directory, '-d', '-n', 'shop', script)
  assert.equal(failed.code, 4)
  assert.match(failed.err, /^everycore: shop did not start \(exit code 4\)\n[\s\S]*Error: bad release[\s\S]*The log is \S+\n$/)
})
