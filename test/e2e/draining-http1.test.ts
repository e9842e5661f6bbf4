import assert from 'node:assert/strict'
import { test } from 'node:test'
import { App } from '../harness/app.ts'
import { Connection } from '../harness/http.ts'
import { until } from '../harness/until.ts'

const stopped = { code: 0, signal: null }

for (const timeout of ['', '60000']) {
  test(`a request head that is arriving is no idle connection${timeout && ', also with server.setTimeout()'}`, async (t) => {
    const app = await App.ready(t, 'held.cjs', { workers: 1, options: ['--linger-timeout', '0'], env: { SOCKET_TIMEOUT_MS: timeout } })
    const [first, later, idle] = await Promise.all([1, 2, 3].map(async () => Connection.open({ port: app.port })))
    assert.ok(first && later && idle)
    await later.request('/')
    first.socket.write('GET /first HTT')
    later.socket.write('GET /later HTT')
    await idle.request('/')
    app.kill('SIGTERM')
    await idle.closed()
    first.socket.write('P/1.1\r\nhost: test\r\n\r\n')
    later.socket.write('P/1.1\r\nhost: test\r\n\r\n')
    assert.deepEqual([await first.receive(), await later.receive()].map(({ body, headers }) => [body, headers['connection']]), [['/first', 'close'], ['/later', 'close']])
    assert.deepEqual(await app.ended, stopped)
  })
}

test('pipelined requests that were received are all answered, in order, and only the last answer says close', async (t) => {
  const app = await App.ready(t, 'held.cjs', { workers: 1 })
  const connection = await Connection.open({ port: app.port })
  const paths = ['/held/1', '/held/2', '/held/3']
  for (const path of paths) connection.send(path)
  await app.line(/ASKED \/held\/3/)
  app.kill('SIGTERM')
  assert.deepEqual(await receiveAll(connection, paths.length), [['/held/1', 'keep-alive'], ['/held/2', 'keep-alive'], ['/held/3', 'close']])
  await connection.closed()
  assert.equal(connection.failure, undefined)
  assert.deepEqual(await app.ended, stopped)
})

test('pipelined requests that come during the drain are answered too', async (t) => {
  const app = await App.ready(t, 'held.cjs', { workers: 1, env: { UNTIL: 'last' } })
  const connection = await Connection.open({ port: app.port })
  connection.send('/held/1')
  await app.line(/ASKED \/held\/1/)
  app.kill('SIGTERM')
  await app.line(/DRAINING/)
  for (const path of ['/held/2', '/held/3', '/last']) connection.send(path)
  assert.deepEqual(await receiveAll(connection, 4), [['/held/1', 'keep-alive'], ['/held/2', 'keep-alive'], ['/held/3', 'keep-alive'], ['/last', 'close']])
  await connection.closed()
  assert.equal(connection.failure, undefined)
  assert.deepEqual(await app.ended, stopped)
})

test('a response whose head said keep-alive before the drain is followed by one more, which says close', async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 1 })
  const connection = await Connection.open({ port: app.port })
  connection.send('/stream?ms=600')
  await until('the head is there', () => connection.socket.bytesRead > 0)
  app.kill('SIGTERM')
  const first = await connection.receive()
  assert.deepEqual([first.body, first.headers['connection']], ['begin end', 'keep-alive'])
  const second = await connection.request('/')
  assert.deepEqual([second.status, second.headers['connection']], [200, 'close'])
  await connection.closed()
  assert.deepEqual(await app.ended, stopped)
})

test("connections that the app has unref'ed are drained like the others", async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 1, env: { UNREF: '1' } })
  const [busy, idle] = [await Connection.open({ port: app.port }), await Connection.open({ port: app.port })]
  await idle.request('/')
  busy.send('/slow?ms=800')
  await until('the request is on its way', () => busy.socket.writableLength === 0)
  app.kill('SIGTERM')
  await app.event('worker:draining')
  assert.equal((await busy.receive()).headers['connection'], 'close')
  assert.equal((await idle.request('/')).headers['connection'], 'close')
  assert.deepEqual(await app.ended, stopped)
})

async function receiveAll(connection: Connection, count: number): Promise<readonly (readonly [string, string | undefined])[]> {
  const seen: (readonly [string, string | undefined])[] = []
  while (seen.length < count) {
    const { body, headers } = await connection.receive()
    seen.push([body, headers['connection']])
  }
  return seen
}
