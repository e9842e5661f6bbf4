import assert from 'node:assert/strict'
import { test } from 'node:test'
import { App } from '../harness/app.ts'
import { Connection, get, RequestLost } from '../harness/http.ts'
import { isAlive } from '../harness/processes.ts'
import { until } from '../harness/until.ts'

const stopped = { code: 0, signal: null }

test('SIGTERM lets requests in flight finish, with Connection: close', async (t) => {
  const app = await App.ready(t, 'web.cjs')
  const slow = await Connection.open({ port: app.port })
  const streaming = await Connection.open({ port: app.port })
  slow.send('/slow?ms=600')
  streaming.send('/stream?ms=600')
  await until('the stream has begun', () => streaming.socket.bytesRead > 0)
  app.kill('SIGTERM')
  const response = await slow.receive()
  assert.equal(response.headers['connection'], 'close')
  assert.equal((await streaming.receive()).body, 'begin end')
  streaming.close()
  assert.deepEqual(await app.ended, stopped)
})

test('a request on an idle connection after the drain began is served, and is the last on it', async (t) => {
  const app = await App.ready(t, 'web.cjs')
  const connections = await Promise.all(Array.from({ length: 10 }, () => Connection.open({ port: app.port })))
  for (const connection of connections) await connection.request('/')
  app.kill('SIGTERM')
  await app.event('worker:draining', () => true, 2)
  for (const connection of connections) {
    // The order is on its way to the workers: every request is answered, and soon one is the last.
    await until('an answer says close', async () => {
      const response = await connection.request('/')
      assert.equal(response.status, 200)
      return response.headers['connection'] === 'close'
    })
    await connection.closed()
    assert.equal(connection.failure, undefined, 'a FIN, not a reset')
  }
  assert.deepEqual(await app.ended, stopped)
})

test('an app that insists on keep-alive gets its connection ended after the response', async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 1, options: ['--linger-timeout', '20s'], env: { KEEP_ALIVE_MS: '60000' } })
  const connection = await Connection.open({ port: app.port })
  const probe = await Connection.open({ port: app.port })
  await connection.request('/')
  app.kill('SIGTERM')
  await until('the worker drains', async () => (await probe.request('/')).headers['connection'] === 'close')
  assert.equal((await connection.request('/keep-alive')).headers['connection'], 'keep-alive')
  const answered = performance.now()
  await connection.closed()
  assert.equal(connection.failure, undefined)
  assert.ok(performance.now() - answered < 5000, 'long before the linger timeout')
  assert.deepEqual(await app.ended, stopped)
})

test('a connection that never sends a byte is let go after a short grace', async (t) => {
  const app = await App.ready(t, 'web.cjs')
  const connection = await Connection.open({ port: app.port })
  await get({ port: app.port })
  const began = performance.now()
  app.kill('SIGTERM')
  await connection.closed()
  assert.equal(connection.failure, undefined)
  connection.close()
  assert.deepEqual(await app.ended, stopped)
  assert.ok(performance.now() - began < 10_000, 'long before the drain timeout of 25 s')
})

test('an idle connection whose server promised more than the linger timeout is closed with a FIN at its end', async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 1, options: ['--linger-timeout', '1s'], env: { KEEP_ALIVE_MS: '60000' } })
  const connection = await Connection.open({ port: app.port })
  await connection.request('/')
  const began = performance.now()
  app.kill('SIGTERM')
  await connection.closed()
  assert.equal(connection.failure, undefined)
  assert.ok(performance.now() - began >= 900)
  connection.close()
  assert.deepEqual(await app.ended, stopped)
})

test('no new connection is taken once the drain has begun', async (t) => {
  const app = await App.ready(t, 'web.cjs')
  const busy = await Connection.open({ port: app.port })
  busy.send('/slow?ms=1000')
  await until('the request is there', () => busy.socket.bytesWritten > 0)
  app.kill('SIGTERM')
  await app.event('worker:draining', () => true, 2)
  await until('the port is closed', async () => get({ port: app.port }).then(() => false, (error: RequestLost) => error.fate === 'refused'))
  assert.equal((await busy.receive()).status, 200)
})

test('what takes longer than the drain timeout is cut, with all that the worker started', async (t) => {
  const app = await App.ready(t, 'family.cjs', { options: ['--graceful-timeout', '1s'], workers: 1 })
  const hung = await App.ready(t, 'web.cjs', { options: ['--graceful-timeout', '1s'] })
  const lost = assert.rejects(get({ port: hung.port }, '/slow?ms=60000'), RequestLost)
  await app.line(/^CHILD /, 2)
  assert.equal((await app.stop()).code, 0)
  assert.equal((await hung.stop()).code, 0)
  await lost
  await until('nothing is left', () => app.leftovers().length + hung.leftovers().length === 0, 2000)
})

test('a hung worker is killed at the end of the drain timeout', async (t) => {
  const app = await App.ready(t, 'web.cjs', { options: ['--graceful-timeout', '1s'], workers: 1 })
  const hanging = assert.rejects(get({ port: app.port }, '/hang'))
  await app.line(/hanging/)
  assert.deepEqual(await app.stop(), stopped)
  await hanging
  assert.ok(app.records.some(({ event, signal }) => event === 'worker:exited' && signal === 'SIGKILL'))
})

test("the app's own handler runs after the drain, with the signal asked for", async (t) => {
  const app = await App.ready(t, 'stops-itself.cjs', { options: ['--kill-signal', 'SIGINT'], env: { SIGNAL: 'SIGINT' }, workers: 1 })
  const request = get({ port: app.port })
  await until('it is under way', () => true)
  await request
  const asked = performance.now()
  assert.deepEqual(await app.stop(), stopped)
  assert.ok(performance.now() - asked < 10_000, 'it ends when its loop is empty, long before the drain timeout of 25 s')
  assert.deepEqual(app.output.filter((line) => /GOT|CLOSED/.test(line)), ['GOT SIGINT', 'CLOSED'])
})

test('a handler that does not end the process meets SIGKILL', async (t) => {
  const app = await App.ready(t, 'stops-itself.cjs', { options: ['--graceful-timeout', '1s'], env: { STUBBORN: '1' }, workers: 1 })
  assert.deepEqual(await app.stop(), stopped)
  assert.ok(app.records.some(({ event, signal }) => event === 'worker:exited' && signal === 'SIGKILL'))
})

test('a second SIGINT ends at once with exit code 130', async (t) => {
  const app = await App.ready(t, 'web.cjs', { env: { npm_execpath: '' } })
  const lost = assert.rejects(get({ port: app.port }, '/slow?ms=20000'), RequestLost)
  app.kill('SIGINT')
  await app.event('primary:stopping')
  app.kill('SIGINT')
  assert.equal((await app.ended).code, 130)
  await lost
})

test('under npm, which repeats the signal of the terminal, one Ctrl-C is one', async (t) => {
  const app = await App.ready(t, 'web.cjs', { env: { npm_execpath: '/usr/lib/npm' } })
  const connection = await Connection.open({ port: app.port })
  connection.send('/slow?ms=600')
  await until('the request is on its way', () => connection.socket.writableLength === 0)
  app.kill('SIGINT')
  await app.event('primary:stopping')
  app.kill('SIGINT')
  assert.equal((await connection.receive()).headers['connection'], 'close')
  connection.close()
  assert.deepEqual(await app.ended, stopped)
})

test('SIGQUIT ends at once with exit code 131', async (t) => {
  const app = await App.ready(t, 'web.cjs')
  const lost = assert.rejects(get({ port: app.port }, '/slow?ms=20000'), RequestLost)
  await until('the request is under way', () => true)
  app.kill('SIGQUIT')
  assert.equal((await app.ended).code, 131)
  await lost
})

test('SIGTERM while the workers boot leaves nothing behind', async (t) => {
  const app = await App.start(t, 'never-listens.cjs')
  await app.event('worker:spawned', () => true, 2)
  assert.deepEqual(await app.stop(), stopped)
})

test('a stopped worker (SIGSTOP) does not hold up the end', async (t) => {
  const app = await App.ready(t, 'web.cjs')
  const [first = 0] = app.workerPids()
  process.kill(first, 'SIGSTOP')
  assert.deepEqual(await app.stop(), stopped)
})

test('the supervisor killed with SIGKILL: requests in flight finish, then nothing is left and the port is free', async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 3, options: ['--graceful-timeout', '10s'], env: { TALKS: '1' } })
  const [first = 0, second = 0, third = 0] = app.workerPids()
  const hanging = assert.rejects(get({ port: app.port }, '/hang'))
  const { slot } = await app.line(/hanging/)
  const hung = [first, second, third][slot ?? 0] ?? 0
  const [stoppedPid = 0, healthy = 0] = [first, second, third].filter((pid) => pid !== hung)
  process.kill(stoppedPid, 'SIGSTOP')
  const connection = await Connection.open({ port: app.port })
  // Long enough for the supervisor to notice that two do not answer.
  connection.send('/slow?ms=4500')
  await connection.receive()
  const idle = await Connection.open({ port: app.port })
  await idle.request('/')
  connection.send('/slow?ms=3000')
  await until('the request is in flight', () => connection.socket.writableLength === 0)
  app.kill('SIGKILL')
  await until('hung and stopped workers are gone', () => !isAlive(hung) && !isAlive(stoppedPid), 2000)
  assert.ok(isAlive(healthy))
  // Its handler writes to a stdout that nobody reads any more. It may take a moment until the worker notices.
  const noticed = performance.now() + 1000
  let answer = await idle.request('/')
  while (answer.headers['connection'] !== 'close' && performance.now() < noticed) answer = await idle.request('/')
  assert.equal(answer.headers['connection'], 'close')
  const response = await connection.receive()
  assert.deepEqual([response.status, response.headers['connection']], [200, 'close'])
  await until('no process is left', () => app.leftovers().length === 0)
  await assert.rejects(get({ port: app.port }), (error: RequestLost) => error.fate === 'refused')
  await hanging
})
