import assert from 'node:assert/strict'
import { once } from 'node:events'
import * as http2 from 'node:http2'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { App, freePort } from '../harness/app.ts'
import { get, type RequestLost } from '../harness/http.ts'
import { Http2Load } from '../harness/http2-load.ts'
import { portsOf } from '../harness/secure-clients.ts'
import { until } from '../harness/until.ts'

const stopped = { code: 0, signal: null }

interface Service {
  readonly app: App
  readonly tlsPort: number
  readonly clearPort: number
}

async function start(t: TestContext, workers: number, ...options: string[]): Promise<Service> {
  const env = { PORT_2: String(await freePort()), PORT_3: String(await freePort()), PORT_4: String(await freePort()) }
  const app = await App.ready(t, 'secure.cjs', { env, workers, options })
  const [, tlsPort = 0, , clearPort = 0] = await portsOf(app)
  return { app, tlsPort, clearPort }
}

async function open(t: TestContext, port: number): Promise<http2.ClientHttp2Session> {
  const session = http2.connect(`http://127.0.0.1:${port}`)
  t.after(() => session.destroy())
  await until('it is connected', () => !session.connecting)
  await new Promise<void>((resolve, reject) => {
    session.ping((error) => (error === null ? resolve() : reject(error)))
  })
  return session
}

async function visit(session: http2.ClientHttp2Session): Promise<number | undefined> {
  const stream = session.request({ ':path': '/' })
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader]
  stream.resume()
  await once(stream, 'close')
  return headers[':status']
}

for (const [name, url] of [
  ['over TLS', ({ tlsPort }: Service) => `https://127.0.0.1:${tlsPort}`],
  ['in clear text', ({ clearPort }: Service) => `http://127.0.0.1:${clearPort}`],
] as const) {
  test(`HTTP/2 ${name}, streams without pause: a reload answers each, or tells the client to open it again`, async (t) => {
    const service = await start(t, 2)
    const load = new Http2Load(url(service), { sessions: 6, streams: 5, headers: { 'x-delay': '15' } })
    await until('the load runs', () => load.counts.answered > 100)
    service.app.kill('SIGUSR2')
    await service.app.event('worker:exited', () => true, 2)
    const { answered, lost, goaways } = await load.end()
    assert.deepEqual(lost, [])
    assert.ok(answered > 1000)
    assert.ok(goaways > 0)
    assert.deepEqual(await service.app.stop(), stopped)
  })
}

test('HTTP/2: a session without a stream has time to open its first one, and gets no GOAWAY before it rests', async (t) => {
  const { app, clearPort } = await start(t, 1)
  const session = await open(t, clearPort)
  app.kill('SIGTERM')
  await until('the port is closed', async () => get({ port: clearPort }).then(() => false, (error: RequestLost) => error.fate === 'refused'))
  const closed = once(session, 'close')
  for (let streams = 0; streams < 3; streams += 1) assert.equal(await visit(session), 200)
  await closed
  assert.deepEqual(await app.ended, stopped)
})

test('HTTP/2: sessions with no open stream are closed soon, long before the linger timeout', async (t) => {
  const { app, clearPort } = await start(t, 1, '--linger-timeout', '20s')
  const [used, untouched] = [await open(t, clearPort), await open(t, clearPort)]
  await visit(used)
  const began = performance.now()
  app.kill('SIGTERM')
  const codes = await Promise.all([used, untouched].map(async (session) => once(session, 'goaway')))
  assert.deepEqual(codes.map(([code]) => Number(code)), [http2.constants.NGHTTP2_NO_ERROR, http2.constants.NGHTTP2_NO_ERROR])
  assert.deepEqual(await app.ended, stopped)
  assert.ok(performance.now() - began < 10_000)
})

test('HTTP/2: a TLS handshake that never comes is let go after a short grace', async (t) => {
  const { app, tlsPort } = await start(t, 1)
  const socket = connect(tlsPort, '127.0.0.1').resume()
  await once(socket, 'connect')
  const session = http2.connect(`https://127.0.0.1:${tlsPort}`, { rejectUnauthorized: false })
  await visit(session)
  const began = performance.now()
  app.kill('SIGTERM')
  await once(socket, 'end')
  assert.deepEqual(await app.ended, stopped)
  assert.ok(performance.now() - began < 10_000)
})

test('HTTP/2: with a short drain timeout each session still gets its GOAWAY', async (t) => {
  const { app, clearPort } = await start(t, 1, '--graceful-timeout', '1s')
  const session = await open(t, clearPort)
  app.kill('SIGTERM')
  const [code] = (await once(session, 'goaway', { signal: AbortSignal.timeout(10_000) })) as [number]
  assert.equal(code, http2.constants.NGHTTP2_NO_ERROR)
  assert.deepEqual(await app.ended, stopped)
})
