/** On a real server, with real connections: what may be taken off it, and what becomes of it when it comes back. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { feed } from '../../src/listen/worker/feed.ts'
import { takeIdle, type TakenConnection } from '../../src/listen/worker/idle-connections.ts'
import { isResting, rest } from '../../src/listen/worker/resting.ts'
import type { ListenHandle } from '../../src/listen/worker/handles.ts'
import { until } from '../harness/until.ts'

interface Place {
  readonly server: Server
  readonly sockets: Socket[]
}

async function serve(t: TestContext): Promise<Place> {
  const server = createServer((request, response) => request.url !== '/held' && response.end('ok'))
  const sockets: Socket[] = []
  server.on('connection', (socket) => sockets.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { server, sockets }
}

async function open(t: TestContext, { server, sockets }: Place, text: string): Promise<Socket> {
  const before = sockets.length
  const client = connect((server.address() as { readonly port: number }).port, '127.0.0.1')
  t.after(() => client.destroy())
  await until('it is accepted', () => sockets.length > before)
  if (text !== '') client.write(text)
  await until('it is read', () => sockets[before]?.bytesRead === text.length)
  return client
}

const GET = 'GET / HTTP/1.1\r\nhost: test\r\n\r\n'

async function openIdle(t: TestContext, place: Place): Promise<Socket> {
  const client = await open(t, place, GET)
  await once(client, 'data')
  return client
}

/** As the hook does it. */
function giveBack({ server }: Place, { client, isIdle }: TakenConnection): Socket {
  const { _handle: handle } = server as unknown as { readonly _handle: ListenHandle }
  let made: Socket | undefined
  feed(server, undefined, () => handle.onconnection?.call(handle, 0, client), (socket) => (made = socket))
  assert.ok(made)
  if (isIdle) rest(server, made)
  return made
}

test('what is between two requests is taken; what has a request under way, or half of one, is not', async (t) => {
  const place = await serve(t)
  await openIdle(t, place)
  await open(t, place, 'GET /held HTTP/1.1\r\nhost: test\r\n\r\n')
  await open(t, place, GET.slice(0, 10))
  await open(t, place, '')
  const taken = takeIdle(place.server, { count: 10 })
  assert.deepEqual(taken.map(({ isIdle }) => isIdle), [true])
  const untouched = takeIdle(place.server, { count: 10, untouched: true })
  assert.deepEqual(untouched.map(({ isIdle }) => isIdle), [false])
  for (const { client } of [...taken, ...untouched]) client.close()
})

test('what may not go stays', async (t) => {
  const place = await serve(t)
  const client = await openIdle(t, place)
  assert.deepEqual(takeIdle(place.server, { count: 10, mayGo: () => false }), [])
  client.write(GET)
  assert.match(String(await once(client, 'data')), /ok/)
})

test('what comes back is idle as before: it can be taken again, and is answered', async (t) => {
  const place = await serve(t)
  const client = await openIdle(t, place)
  for (let nth = 0; nth < 3; nth += 1) {
    const [taken] = takeIdle(place.server, { count: 10, untouched: true })
    assert.ok(taken?.isIdle)
    assert.ok(isResting(giveBack(place, taken)))
  }
  client.write(GET)
  assert.match(String(await once(client, 'data')), /ok/)
  assert.ok(!isResting(place.sockets.at(-1) as Socket))
})

for (const headersTimeout of [60_000, 10]) {
  test(`what comes back and stays silent is closed by the keep-alive time (headersTimeout ${headersTimeout})`, async (t) => {
    const place = await serve(t)
    Object.assign(place.server, { keepAliveTimeout: 50, keepAliveTimeoutBuffer: 50, headersTimeout })
    const client = await openIdle(t, place)
    const [taken] = takeIdle(place.server, { count: 1 })
    assert.ok(taken)
    giveBack(place, taken)
    const given = performance.now()
    client.resume()
    await once(client, 'end')
    assert.ok(performance.now() - given > 90)
  })
}
