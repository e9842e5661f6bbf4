/** How a worker counts its requests, by real servers in this process. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import * as http2 from 'node:http2'
import { connect, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { DURATION_BOUNDS_S } from '../../src/protocol/vitals.ts'
import { countRequests } from '../../src/worker/requests.ts'
import { until } from '../harness/until.ts'

async function serve(t: TestContext, listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

/** Sends bytes and reads until the end. */
async function exchange(port: number, text: string): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.resume().end(text)
  await once(socket, 'close')
}

const request = (method: string, path = '/'): string => `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`

test('requests are counted by method and status, and never by their path', async (t) => {
  const meter = countRequests()
  const port = await serve(t, ({ url = '' }, response) => response.writeHead(url === '/gone' ? 404 : 200).end('x'))
  for (const text of [request('GET'), request('GET', '/a'), request('POST', '/b'), request('GET', '/gone'), request('PROPFIND'), request('MKCALENDAR')]) {
    // oxlint-disable-next-line no-await-in-loop
    await exchange(port, text)
  }
  const { requests, latency, aborted } = meter.take()
  const counts = requests.map(({ method, status, counts: buckets }) => `${method} ${status} ${buckets.reduce((sum, count) => sum + count, 0)}`)
  assert.deepEqual(counts.sort(), ['GET 200 2', 'GET 404 1', 'POST 200 1', '_OTHER 200 2'])
  assert.ok(requests.every(({ counts: buckets, sumMs }) => buckets.length === DURATION_BOUNDS_S.length + 1 && sumMs > 0))
  assert.equal(latency.filter((_, index) => index % 2 === 1).reduce((sum, count) => sum + count, 0), 6)
  assert.equal(aborted, 0)
  assert.deepEqual(meter.take(), { aborted: 0, requests: [], latency: [] }, 'what was taken is not told again')
})

test('a request is in flight until it is answered, or its client is gone', async (t) => {
  const meter = countRequests()
  const port = await serve(t, () => {})
  const socket = connect(port, '127.0.0.1')
  // The second waits in the connection for the answer to the first.
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await until('both are in flight', () => meter.inFlight() === 2)
  assert.equal(meter.take().aborted, 0)
  socket.destroy()
  let aborted = 0
  await until('both count as aborted', () => (aborted += meter.take().aborted) === 2)
  assert.equal(meter.inFlight(), 0)
})

test('status codes without end are bounded', async (t) => {
  const meter = countRequests()
  const port = await serve(t, ({ url = '/200' }, response) => response.writeHead(Number(url.slice(1))).end())
  const socket = connect(port, '127.0.0.1')
  socket.resume()
  for (let status = 200; status < 500; status += 1) socket.write(`GET /${status} HTTP/1.1\r\nHost: a\r\n${status === 499 ? 'Connection: close\r\n' : ''}\r\n`)
  await once(socket, 'close')
  const { requests } = meter.take()
  assert.ok(requests.length <= 66, `${requests.length} kinds`)
  assert.equal(requests.flatMap(({ counts }) => counts).reduce((sum, count) => sum + count, 0), 300)
  assert.ok(requests.some(({ status }) => status === '_OTHER'))
})

const [major = 0] = process.versions.node.split('.').map(Number)

test('streams of HTTP/2 are counted, too', { skip: major < 22 && 'Node 20 does not tell of them' }, async (t) => {
  const meter = countRequests()
  const server = http2.createServer((message, response) => (message.url === '/never' ? undefined : response.writeHead(201).end('x'))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.after(() => {
    client.destroy()
    server.close()
  })
  const answered = client.request({ ':path': '/', ':method': 'PUT' }).resume()
  answered.end()
  await once(answered, 'close')
  const never = client.request({ ':path': '/never' })
  never.on('error', () => {})
  await until('one is in flight', () => meter.inFlight() === 1)
  never.close(http2.constants.NGHTTP2_CANCEL)
  await until('none is', () => meter.inFlight() === 0)
  const { requests, aborted } = meter.take()
  assert.deepEqual(requests.map(({ method, status }) => `${method} ${status}`), ['PUT 201'])
  assert.equal(aborted, 1)
})
