/** Clients of the control socket that are slow, dead or hostile, and very many. docs/control.md promises what is shown here. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { call } from '../../src/control/client.ts'
import { LIMITS } from '../../src/control/limits.ts'
import { METHOD_NAMES, methodOf } from '../../src/control/methods.ts'
import { App, freePort } from '../harness/app.ts'
import { randomFrom } from '../unit/logs-random.ts'
import { runtimeDir, verb } from '../harness/verb.ts'

interface Fixture {
  readonly app: App
  readonly path: string
  readonly directory: string
}

async function started(t: TestContext, options: readonly string[] = [], event = 'control:opened'): Promise<Fixture> {
  const directory = runtimeDir(t)
  const app = await App.ready(t, 'web.cjs', { options: ['--runtime-dir', directory, '-n', 'shop', '--min-uptime', '100ms', ...options] })
  await app.event(event)
  return { app, path: join(directory, 'shop.sock'), directory }
}

/** Everything that comes until the other side ends the connection. */
async function everything(socket: Socket): Promise<string> {
  let text = ''
  socket.on('error', () => {})
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await once(socket, 'close')
  return text
}

function say(path: string, words: string | Buffer): Socket {
  const socket = createConnection(path)
  socket.on('error', () => {})
  socket.write(words)
  return socket
}

function post(headers: string, body = ''): string {
  return `POST /v1/scale HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n${body}`
}

function json(body: string): string {
  return post(`Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`, body)
}

test('garbage, lies about lengths, and bodies that pollute change nothing', async (t) => {
  const { app, path } = await started(t)
  for (const [words, expected] of [
    [randomBytes(4096), /^(?:HTTP\/1\.1 400|$)/],
    ['GET / HTTP/1.1\r\nHost: x\r\nX: '.padEnd(LIMITS.headerBytes + 100, 'a'), /^HTTP\/1\.1 431/],
    [post('Content-Type: application/json\r\nContent-Length: 1073741824', '{'), /^HTTP\/1\.1 413/],
    [post('Content-Type: application/json\r\nTransfer-Encoding: chunked', `${(LIMITS.bodyBytes + 1).toString(16)}\r\n${'x'.repeat(LIMITS.bodyBytes + 1)}\r\n`), /^HTTP\/1\.1 413/],
    [post('Content-Length: 2\r\nTransfer-Encoding: chunked\r\nConnection: close', '0\r\n\r\n'), /^HTTP\/1\.1 400/],
    [json('{"size":1e9}'), /^HTTP\/1\.1 400/],
    [json('{"size":"2"}'), /^HTTP\/1\.1 400/],
    [json('{"size":2,"env":{"A":"b"}}'), /^HTTP\/1\.1 400/],
    [json('{"__proto__":{"size":1}}'), /^HTTP\/1\.1 400/],
    [json('[]'), /^HTTP\/1\.1 400/],
    [json('{'), /^HTTP\/1\.1 400/],
    [post('Content-Type: text/plain\r\nContent-Length: 10\r\nConnection: close', '{"size":1}'), /^HTTP\/1\.1 415/],
    ['GET /v1/reload HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 405/],
    ['GET /v1/../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 404/],
    ['GET /v1/%2e%2e%2fstatus HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 404/],
  ] as const) {
    const said = await everything(say(path, words))
    assert.match(said, expected, `${String(words).slice(0, 100)}: ${said.slice(0, 200)}`)
    assert.equal(/at .*\.c?js:\d+/.test(said), false, 'no stack')
  }
  const { size, generation, workers } = await call(path, 'status')
  assert.deepEqual([size, generation, workers.map(({ restarts }) => restarts)], [2, 1, [0, 0]])
  assert.deepEqual(app.records.filter(({ level, stream }) => level >= 50 && stream === undefined).map(({ msg }) => msg), [])
  await app.stop()
})

test('who has a connection and says nothing, or half of it, keeps nobody out', async (t) => {
  const { app, path } = await started(t)
  const silent = Array.from({ length: LIMITS.connections + 100 }, (_, index) => say(path, index % 2 === 0 ? 'GET /v1/status HTTP/1.1\r\nHo' : ' '))
  await Promise.all(silent.map(async (socket) => once(socket, 'connect')))
  assert.equal((await call(path, 'status')).state, 'running')
  for (const socket of silent) socket.destroy()
  await app.stop()
})

test('each of a hundred clients with random verbs at a time gets one answer', async (t) => {
  const { app, path } = await started(t, ['--min-uptime', '0'])
  const { int } = randomFrom('clients')
  const asked = Array.from({ length: 100 }, async () => {
    const kind = int(10)
    if (kind < 6) return call(path, 'status')
    if (kind < 8) return call(path, 'reload')
    if (kind < 9) return call(path, 'scale', { size: 1 + int(3) })
    return call(path, 'abortReload')
  })
  const answers = await Promise.allSettled(asked)
  const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [(answer.reason as { readonly code: string }).code] : []))
  assert.deepEqual([...new Set(failures)].filter((code) => !['ERR_EVERYCORE_STATE', 'ERR_EVERYCORE_RELOAD'].includes(code)), [])
  const reloads = app.records.filter(({ event }) => event === 'reload:started').length
  assert.ok(reloads <= 10, `reloads that are asked for together are one: ${reloads}`)
  assert.equal((await call(path, 'status')).state, 'running')
  await app.stop()
})

interface Reply {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
}

async function ask(port: number, method: string, path: string, headers: Readonly<Record<string, string>>): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers })
      response.destroy()
    })
    asked.on('error', reject).end()
  })
}

test('by TCP every method wants the token, a name of this machine, and no website', async (t) => {
  const port = await freePort()
  const { app, directory } = await started(t, ['--control', String(port)], 'control:tcp')
  const file = join(directory, 'shop.token')
  assert.equal(statSync(file).mode & 0o7777, 0o600)
  const token = readFileSync(file, 'utf8').trim()
  assert.match(token, /^[\da-f]{32}$/)
  assert.equal(app.records.some((record) => JSON.stringify(record).includes(token)), false, 'it is not in the log')
  const authorization = `Bearer ${token}`
  const routes = [...METHOD_NAMES.map((name) => methodOf(name)), { verb: 'GET', path: '/' }]
  for (const { verb: method, path } of routes) {
    for (const [headers, status] of [
      [{}, 401],
      [{ authorization: 'Bearer 00000000000000000000000000000000' }, 401],
      [{ authorization: `Basic ${token}` }, 401],
      [{ authorization, host: 'evil.test' }, 403],
      [{ authorization, host: `localhost6:${port}` }, 403],
      [{ authorization, host: `127.0.0.1.evil.test:${port}` }, 403],
      [{ authorization, origin: 'https://evil.test' }, 403],
      [{ authorization, origin: 'null' }, 403],
      [{ authorization, 'sec-fetch-site': 'cross-site' }, 403],
    ] as const) {
      const reply = await ask(port, method, path, headers)
      assert.equal(reply.status, status, `${method} ${path} ${JSON.stringify(headers).replace(token, '…')}`)
      assert.equal(reply.headers['access-control-allow-origin'], undefined)
    }
  }
  assert.equal((await ask(port, 'GET', '/v1/status', { authorization })).status, 200)
  assert.equal((await ask(port, 'GET', '/v1/status', { authorization, host: `localhost:${port}`, origin: `http://localhost:${port}` })).status, 200)
  assert.equal((await ask(port, 'OPTIONS', '/v1/reload', { authorization })).status, 405)
  assert.equal((await call(join(directory, 'shop.sock'), 'status')).generation, 1, 'nothing came of all that')
  await app.stop()
  assert.equal(existsSync(file), false, 'the token goes with the app')
  for (const address of ['0.0.0.0:9300', '192.0.2.1:9300', '[::]:9300', 'example.com:9300', '127.0.0.1:0', '127.0.0.1:70000', ':9300']) {
    assert.equal((await verb(directory, '--control', address, 'server.js')).code, 2, address)
  }
})
