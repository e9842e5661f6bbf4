/** A connection that carries several clients: each request is handled by the worker of its client. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { App, type StartOptions } from '../harness/app.ts'
import { Connection } from '../harness/http.ts'
import { client, clientsBySlot, head, seen, Wire } from '../harness/sticky.ts'

interface Setting {
  readonly app: App
  /** Whose worker serves the connections of the test. */
  readonly near: string
  /** Whose worker does not. */
  readonly far: string
}

async function setUp(t: TestContext, options: StartOptions = {}): Promise<Setting> {
  const app = await App.ready(t, 'sticky.cjs', { options: ['--sticky', 'header:x-client'], ...options })
  const [near = '', far = ''] = await clientsBySlot({ port: app.port }, 2)
  return { app, near, far }
}

/** A connection of the near worker's. */
async function connection(t: TestContext, { app, near }: Setting): Promise<Connection> {
  const opened = await Connection.open({ port: app.port })
  t.after(() => opened.close())
  assert.equal(seen(await opened.request('/', { headers: client(near) })).slot, '0')
  return opened
}

async function wire(t: TestContext, { app, near }: Setting): Promise<Wire> {
  const opened = await Wire.open(t, { port: app.port })
  await opened.write(head('GET /status?code=204', near)).until(/x-slot: 0/)
  opened.text = ''
  return opened
}

test('each request goes to its worker, with its body, as if it had come from the client itself', async (t) => {
  const setting = await setUp(t)
  const { near, far, app } = setting
  const shared = await connection(t, setting)
  for (const [name, slot] of [[far, '1'], [near, '0'], [far, '1']] as const) {
    const answer = seen(await shared.request('/', { headers: client(name) }))
    assert.equal(answer.slot, slot)
    assert.match(answer.remoteAddress ?? '', /127\.0\.0\.1$/)
    assert.equal(answer.remotePort, shared.socket.localPort)
    assert.equal(answer.localPort, app.port)
  }
  assert.equal(seen(await shared.request('/echo', { method: 'POST', headers: client(far), body: 'a body' })).body, 'a body')
  const large = 'x'.repeat(1024 * 1024)
  const echoed = await shared.request('/mirror', { method: 'POST', headers: client(far), body: large })
  assert.ok(echoed.body === large, `${echoed.body.length} bytes`)
  assert.equal(seen(await shared.request('/', { headers: client(near) })).slot, '0', 'the connection goes on')
})

test('what the other worker sees is what the client sent, but for the fields of a hop', async (t) => {
  const setting = await setUp(t)
  const { far } = setting
  const shared = await connection(t, setting)
  const { headers } = seen(
    await shared.request('/', {
      headers: { ...client(far), connection: 'keep-alive, x-forwarded-for', 'keep-alive': 'timeout=9', te: 'trailers', 'proxy-connection': 'keep-alive', 'x-forwarded-for': '203.0.113.9', 'x-everycore-client': '203.0.113.7 1  ' },
    }),
  )
  assert.deepEqual(headers, { host: 'test', 'x-client': far, 'x-forwarded-for': '203.0.113.9', connection: 'keep-alive' })
  const answer = seen(await shared.request('/', { headers: { ...client(far), 'x-everycore-client': '203.0.113.7 1 IPv4 ::1 1' } }))
  assert.match(answer.remoteAddress ?? '', /127\.0\.0\.1$/, 'nobody can pretend to be another client')
  const empty = seen(await shared.request('/', { method: 'POST', headers: client(far) })).headers
  assert.equal(empty['transfer-encoding'], undefined, 'a request without a body does not get one')
})

test('a client cannot hide a second request in the body of a first', async (t) => {
  const setting = await setUp(t)
  const shared = await wire(t, setting)
  const hidden = 'GET /status?code=418 HTTP/1.1\r\nhost: test\r\nx-everycore-client: 203.0.113.7 1 IPv4 ::1 1\r\n\r\n'
  shared.write(head('GET /echo', setting.far, ['connection: content-length', `content-length: ${hidden.length}`]) + hidden)
  assert.ok((await shared.until(/"body":"([^"]*)"/))[1]?.startsWith('GET /status?code=418'))
  shared.text = ''
  shared.write(head('GET /echo', setting.far, ['connection: transfer-encoding', 'transfer-encoding: chunked']) + `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`)
  assert.ok((await shared.until(/"body":"([^"]*)"/))[1]?.startsWith('GET /status?code=418'))
  assert.doesNotMatch(shared.text, /HTTP\/1.1 418/)
})

test('pipelined requests of different clients are answered in their order', async (t) => {
  const setting = await setUp(t)
  const { near, far } = setting
  const shared = await connection(t, setting)
  const order = [far, near, far, far, near]
  shared.socket.write(order.map((name, index) => head(`${index % 2 === 0 ? 'POST' : 'GET'} /slow?ms=${(order.length - index) * 10}`, name, index % 2 === 0 ? ['content-length: 0'] : [])).join(''))
  for (const name of order) assert.equal(seen(await shared.receive()).slot, name === far ? '1' : '0')
})

test('chunked bodies, trailers both ways, HEAD, 204 and 304', async (t) => {
  const setting = await setUp(t)
  const { far } = setting
  const shared = await wire(t, setting)
  shared.write(head('POST /echo', far, ['transfer-encoding: chunked', 'trailer: x-sum']) + '5\r\nhello\r\n6\r\n world\r\n0\r\nx-sum: 11\r\n\r\n')
  const [, body = ''] = await shared.until(/\r\n\r\n(\{.*\})/)
  const echoed = JSON.parse(body) as { readonly slot: string; readonly body: string; readonly trailers: object }
  assert.deepEqual([echoed.slot, echoed.body, echoed.trailers], ['1', 'hello world', { 'x-sum': '11' }])
  shared.text = ''
  await shared.write(head('GET /trailers', far)).until(/4\r\nbody\r\n0\r\nx-end: 1\r\n\r\n$/)
  for (const [line, status] of [['HEAD /status?code=200', 200], ['GET /status?code=204', 204], ['GET /status?code=304', 304], ['DELETE /status?code=204', 204]] as const) {
    shared.text = ''
    const [answer] = await shared.write(head(line, far)).until(/^.*\r\n\r\n/s)
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `))
    assert.match(answer, /x-slot: 1\r\n/)
    assert.match(answer, /\r\n\r\n$/)
  }
  shared.text = ''
  await shared.write(head('GET /', far)).until(/"slot":"1".*\}/s)
})

test('a client of HTTP/1.0, without a Host', async (t) => {
  const setting = await setUp(t)
  const old = await Wire.open(t, { port: setting.app.port })
  old.write(`GET / HTTP/1.0\r\nx-client: ${setting.near}\r\nconnection: keep-alive\r\n\r\n`)
  await old.until(/"slot":"0".*\}/s)
  old.text = ''
  old.write(`GET / HTTP/1.0\r\nx-client: ${setting.far}\r\n\r\n`)
  const answer = await old.all()
  assert.match(answer, /^HTTP\/1.1 200 OK.*"slot":"1"/s)
  assert.doesNotMatch(answer, /transfer-encoding|"host"/i)
})

for (const asks of ['', '1']) {
  test(`expect: 100-continue, ${asks === '' ? 'answered by Node' : 'answered by the app'}`, async (t) => {
    const setting = await setUp(t, asks === '' ? {} : { env: { CONTINUES: asks } })
    const { far } = setting
    const shared = await wire(t, setting)
    await shared.write(head('POST /echo', far, ['expect: 100-continue', 'content-length: 4'])).until(/^HTTP\/1.1 100 Continue\r\n\r\n/)
    await shared.write('body').until(/"slot":"1".*"body":"body"/s)
    if (asks === '') return
    shared.text = ''
    await shared.write(head('POST /no', far, ['expect: 100-continue', 'content-length: 4'])).until(/^HTTP\/1.1 417 .*x-slot: 1/s)
  })
}

test('events are passed on at once, and so is a head that nothing follows yet', async (t) => {
  const setting = await setUp(t)
  const events = await wire(t, setting)
  await events.write(head('GET /events?1', setting.far)).until(/x-slot: 1.*data: first\n\n/s)
  const silent = await wire(t, setting)
  await silent.write(head('GET /silent-events', setting.far)).until(/x-slot: 1.*\r\n\r\n/s)
  events.socket.destroy()
  assert.equal((await setting.app.line(/^events closed \/events\?1/)).slot, 1, 'the other worker learns of the end')
})

test('a client that breaks off, in its body or in the response, is seen by the other worker', async (t) => {
  const setting = await setUp(t)
  const body = await wire(t, setting)
  body.write(head('POST /wait?body', setting.far, ['content-length: 100']) + 'only a part')
  assert.equal((await setting.app.line(/^waits \/wait\?body/)).slot, 1)
  body.socket.destroy()
  await setting.app.line(/^aborted \/wait\?body/)
  const waiting = await wire(t, setting)
  waiting.write(head('GET /wait?answer', setting.far))
  await setting.app.line(/^waits \/wait\?answer/)
  waiting.socket.destroy()
  assert.equal((await setting.app.line(/^closed \/wait\?answer/)).slot, 1)
})

test('an answer that comes before the body is whole arrives, and the connection stays usable', async (t) => {
  const setting = await setUp(t)
  const shared = await wire(t, setting)
  shared.write(head('POST /refuse', setting.far, ['content-length: 3000000']) + 'x'.repeat(1_500_000))
  await shared.until(/^HTTP\/1.1 413 .*too large/s)
  shared.text = ''
  shared.write('x'.repeat(1_500_000) + head('GET /', setting.near))
  await shared.until(/"slot":"0"/)
})

test('an upgrade and its data go through, both ways, with what came right behind it', async (t) => {
  const setting = await setUp(t)
  const shared = await wire(t, setting)
  shared.write(`${head('GET /socket?1', setting.far, ['connection: upgrade', 'upgrade: test', 'x-everycore-client: 203.0.113.7 1 IPv4 ::1 1'])}early `)
  const [answer] = await shared.until(/^HTTP\/1.1 101 .*\r\n\r\nearly /s)
  assert.match(answer, /x-slot: 1\r\nx-remote: (::ffff:)?127\.0\.0\.1\r\n/)
  const large = 'y'.repeat(500_000)
  shared.write(large)
  await shared.until(/early y{500000}/)
  shared.socket.end()
  assert.equal((await setting.app.line(/^upgraded closed \/socket\?1/)).slot, 1)
  await shared.all()
})

test('the other worker is killed: who waits for it learns it, and later requests are served here until it is back', async (t) => {
  const setting = await setUp(t)
  const { app, far, near } = setting
  const [unanswered, half, tunnel, shared] = await Promise.all([wire(t, setting), wire(t, setting), wire(t, setting), wire(t, setting)])
  unanswered.write(head('POST /wait?killed', far, ['content-length: 0']))
  half.write(head('GET /half?killed', far))
  tunnel.write(head('GET /', far, ['connection: upgrade', 'upgrade: test']))
  await Promise.all([app.line(/^waits \/wait\?killed/), half.until(/half $/), tunnel.until(/x-slot: 1/)])
  process.kill(app.workerPids()[1] ?? -1, 'SIGKILL')
  assert.match((await unanswered.all()) || 'HTTP/1.1 502 ', /^HTTP\/1.1 502 /)
  await Promise.all([half.all(), tunnel.all()])
  await shared.write(head('GET /', far)).until(/"slot":"[01]"/)
  await app.event('worker:ready', ({ slot }) => slot === 1, 2)
  shared.text = ''
  await shared.write(head('GET /', near)).until(/"slot":"0"/)
})
