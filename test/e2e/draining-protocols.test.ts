import assert from 'node:assert/strict'
import { once } from 'node:events'
import * as http2 from 'node:http2'
import * as https from 'node:https'
import { connect } from 'node:net'
import { test } from 'node:test'
import { App, freePort } from '../harness/app.ts'
import { Connection } from '../harness/http.ts'
import { portsOf } from '../harness/secure-clients.ts'
import { until } from '../harness/until.ts'

async function secure(t: Parameters<typeof App.ready>[0]): Promise<{ readonly app: App; readonly ports: readonly number[] }> {
  const env = { PORT_2: String(await freePort()), PORT_3: String(await freePort()), PORT_4: String(await freePort()) }
  const app = await App.ready(t, 'secure.cjs', { env, workers: 1 })
  return { app, ports: await portsOf(app) }
}

for (const [name, index, url] of [
  ['over TLS', 1, 'https'],
  ['in clear text', 3, 'http'],
] as const) {
  test(`HTTP/2 ${name}: open streams finish, the session gets GOAWAY`, async (t) => {
    const { app, ports } = await secure(t)
    const session = http2.connect(`${url}://127.0.0.1:${ports[index]}`, { rejectUnauthorized: false })
    let goaway = -1
    session.on('goaway', (code: number) => (goaway = code))
    const streams = Array.from({ length: 5 }, () => session.request({ ':path': '/', 'x-delay': '800' }))
    const bodies = streams.map(async (stream) => {
      let body = ''
      stream.setEncoding('utf8')
      for await (const chunk of stream) body += String(chunk)
      return body
    })
    await until('the session is up', () => session.socket !== undefined && !session.connecting)
    await new Promise<void>((resolve, reject) => {
      session.ping((error) => (error === null ? resolve() : reject(error)))
    })
    app.kill('SIGTERM')
    await once(session, 'goaway')
    assert.equal(goaway, http2.constants.NGHTTP2_NO_ERROR)
    assert.deepEqual(new Set(await Promise.all(bodies)), new Set([index === 1 ? 'h2' : 'h2c']))
    await once(session, 'close')
    assert.deepEqual(await app.ended, { code: 0, signal: null })
  })
}

test('https: an idle keep-alive connection is served once more, with Connection: close', async (t) => {
  const { app } = await secure(t)
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false })
  t.after(() => agent.destroy())
  const port = app.port
  const visit = async (): Promise<string | undefined> =>
    new Promise((resolve, reject) => {
      const request = https.get({ port, host: '127.0.0.1', agent }, (response) => {
        response.resume()
        response.on('end', () => resolve(response.headers.connection))
      })
      request.on('error', reject)
    })
  assert.equal(await visit(), 'keep-alive')
  app.kill('SIGTERM')
  // The order is on its way to the worker: every request is answered, and soon one is the last.
  await until('an answer says close', async () => (await visit()) === 'close')
  assert.deepEqual(await app.ended, { code: 0, signal: null })
})

test('an upload that waits for 100-continue when the drain begins is finished', async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 1 })
  const socket = connect(app.port, '127.0.0.1')
  t.after(() => socket.destroy())
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  socket.write('POST /echo HTTP/1.1\r\nhost: test\r\nexpect: 100-continue\r\ntransfer-encoding: chunked\r\n\r\n')
  await until('it may send its body', () => text.startsWith('HTTP/1.1 100 Continue\r\n\r\n'))
  app.kill('SIGTERM')
  await app.event('worker:draining')
  socket.write('5\r\nhello\r\n')
  socket.write('6\r\n world\r\n0\r\n\r\n')
  await once(socket, 'end')
  assert.match(text, /HTTP\/1\.1 200 OK\r\n[^]*connection: close\r\n[^]*"body":"hello world"/i)
  assert.equal((await app.ended).code, 0)
})

test('a slow upload that began before the drain is finished', async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 1 })
  const connection = await Connection.open({ port: app.port })
  const body = 'y'.repeat(1000)
  connection.socket.write(`POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 300)}`)
  // Longer than connections that have sent nothing may stay.
  const other = await Connection.open({ port: app.port })
  other.send('/slow?ms=1500')
  await until('both have arrived', () => connection.socket.writableLength + other.socket.writableLength === 0)
  app.kill('SIGTERM')
  await app.event('worker:draining')
  connection.socket.write(body.slice(300, 600))
  await other.receive()
  connection.socket.write(body.slice(600))
  const response = await connection.receive()
  assert.equal((JSON.parse(response.body) as { body: string }).body, body)
  assert.equal(response.headers['connection'], 'close')
  connection.close()
})
