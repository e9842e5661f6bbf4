import assert from 'node:assert/strict'
import { test } from 'node:test'
import { App } from '../harness/app.ts'
import { Connection } from '../harness/http.ts'

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
