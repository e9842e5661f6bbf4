import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { before, test, type TestContext } from 'node:test'
import { App, type StartOptions } from '../harness/app.ts'
import { installExamples, requireHere } from '../harness/examples.ts'
import { Connection } from '../harness/http.ts'
import { until } from '../harness/until.ts'

before(installExamples)

interface WebSocketClient {
  on(event: 'message', listener: (data: Buffer) => void): void
  on(event: 'error', listener: (error: Error) => void): void
  on(event: 'close', listener: (code: number, reason: Buffer) => void): void
  terminate(): void
}

/** A client, and what it has seen. */
class Client {
  readonly socket: WebSocketClient
  messages = 0
  failure: Error | undefined
  closed: { readonly code: number; readonly reason: string; readonly at: number } | undefined

  constructor(port: number) {
    const WebSocket = requireHere('ws') as new (url: string) => WebSocketClient
    this.socket = new WebSocket(`ws://127.0.0.1:${port}`)
    this.socket.on('message', () => (this.messages += 1))
    this.socket.on('error', (error) => (this.failure = error))
    this.socket.on('close', (code, reason) => (this.closed = { code, reason: reason.toString(), at: performance.now() }))
  }
}

async function connectAll(t: TestContext, port: number, count: number): Promise<readonly Client[]> {
  const clients = Array.from({ length: count }, () => new Client(port))
  t.after(() => {
    for (const { socket } of clients) socket.terminate()
  })
  await until('all are connected', () => clients.every(({ messages }) => messages > 0))
  return clients
}

const start = async (t: TestContext, options: StartOptions): Promise<App> => App.ready(t, 'web-sockets.cjs', { workers: 1, ...options })

function span(clients: readonly Client[]): number {
  const times = clients.map(({ closed }) => closed?.at ?? Number.NaN)
  return Math.max(...times) - Math.min(...times)
}

async function allClosed(clients: readonly Client[]): Promise<readonly string[]> {
  await until('all are closed', () => clients.every(({ closed }) => closed !== undefined), 15_000)
  assert.deepEqual(clients.flatMap(({ failure }) => failure ?? []), [])
  return [...new Set(clients.map(({ closed }) => `${closed?.code} ${closed?.reason}`))]
}

test('a reload closes WebSockets of `ws` with 1012, over the time of --close-spread', async (t) => {
  const app = await start(t, { options: ['--close-spread', '2s'] })
  const clients = await connectAll(t, app.port, 100)
  app.kill('SIGUSR2')
  assert.deepEqual(await allClosed(clients), ['1012 service restart'])
  assert.ok(span(clients) > 1200 && span(clients) < 4000, `${span(clients)} ms`)
})

for (const deflate of ['0', '1']) {
  test(`the close frame cuts no other, however much is being sent (${deflate === '1' ? 'compressed' : 'plain'})`, async (t) => {
    const app = await start(t, { options: ['--close-spread', '500ms'], env: { TALKS: '1', DEFLATE: deflate } })
    const clients = await connectAll(t, app.port, 20)
    app.kill('SIGUSR2')
    assert.deepEqual(await allClosed(clients), ['1012 service restart'])
  })
}

test('--close-spread 0 closes all at once, in a stop, too', async (t) => {
  const app = await start(t, { options: ['--close-spread', '0'] })
  const clients = await connectAll(t, app.port, 100)
  app.kill('SIGTERM')
  assert.deepEqual(await allClosed(clients), ['1012 service restart'])
  assert.ok(span(clients) < 1000, `${span(clients)} ms`)
  assert.deepEqual(await app.ended, { code: 0, signal: null })
})

test('what the app says itself is spread by `spread` of its onDrain handler, and is the last word', async (t) => {
  const app = await start(t, { options: ['--close-spread', '2s'], env: { SAYS_1001: '1' } })
  const clients = await connectAll(t, app.port, 100)
  app.kill('SIGTERM')
  assert.deepEqual(await allClosed(clients), ['1001 see you'])
  assert.ok(span(clients) > 1200 && span(clients) < 4000, `${span(clients)} ms`)
  assert.deepEqual(await app.ended, { code: 0, signal: null })
})

test('a client that does not answer the close frame gets a FIN soon', async (t) => {
  const app = await start(t, {})
  const socket = connect(app.port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.write('GET / HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')
  const received: Buffer[] = []
  socket.on('data', (chunk) => received.push(chunk))
  const ended = once(socket, 'end')
  await until('it is upgraded', () => Buffer.concat(received).includes('pid'))
  app.kill('SIGTERM')
  await ended
  // Unmasked, final, 1012 (RFC 6455, 5.5.1).
  assert.ok(Buffer.concat(received).includes(Buffer.from([0x88, 17, 0x03, 0xf4])))
  assert.deepEqual(await app.ended, { code: 0, signal: null })
})

test('server-sent events go on until the drain timeout is nearly over, and end as whole answers; one that ends by itself is not cut', async (t) => {
  const app = await start(t, { options: ['--graceful-timeout', '4s'] })
  const [endless, whole] = [await Connection.open({ port: app.port }), await Connection.open({ port: app.port })]
  t.after(() => [endless, whole].map((connection) => connection.close()))
  endless.send('/')
  whole.send('/?ms=3500')
  await until('both have begun', () => endless.socket.bytesRead > 0 && whole.socket.bytesRead > 0)
  app.kill('SIGUSR2')
  await app.event('worker:draining')
  const began = performance.now()
  assert.match((await whole.receive()).body, /data: whole/)
  assert.match((await endless.receive()).body, /^(?:data: \d+\n\n)+$/)
  assert.ok(performance.now() - began < 4000, 'before the kill')
  await app.event('worker:exited', ({ kind }) => kind === 'retired')
})

interface SocketIoClient {
  on(event: string, listener: (value: never) => void): void
  disconnect(): void
}

for (const transport of ['websocket', 'polling']) test(`clients of Socket.IO come back by themselves, to the new generation (${transport})`, async (t) => {
  // With polls that are open for long, the app ends them as the manual says.
  const env = transport === 'polling' ? { PING_MS: '60000', ENDS_POLLS: '1' } : {}
  const app = await App.ready(t, 'sticky-socket-io.cjs', { workers: 1, options: ['--close-spread', '300ms'], env })
  const { io } = requireHere('socket.io-client') as { readonly io: (url: string, options: object) => SocketIoClient }
  const seen = Array.from({ length: 10 }, () => ({ pids: [] as number[], reasons: [] as string[] }))
  const clients = seen.map(({ pids, reasons }) => {
    const client = io(`http://127.0.0.1:${app.port}`, { transports: [transport], forceNew: true, reconnectionDelay: 10, reconnectionDelayMax: 50 })
    client.on('welcome', ({ pid }: { readonly pid: number }) => pids.push(pid))
    client.on('disconnect', (reason: string) => reasons.push(reason))
    return client
  })
  t.after(() => {
    for (const client of clients) client.disconnect()
  })
  await until('all are welcome', () => seen.every(({ pids }) => pids.length === 1))
  app.kill('SIGUSR2')
  await until('all are back', () => seen.every(({ pids }) => pids.length === 2))
  assert.deepEqual(new Set(seen.flatMap(({ reasons }) => reasons)), new Set(['transport close']))
  assert.ok(seen.every(({ pids }) => pids[0] !== pids[1]))
})
