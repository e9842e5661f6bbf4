/** Servers that are wrong in one way each: the fate says which. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Accounts } from '../harness/load/accounts.ts'
import type { Fate } from '../harness/load/fates.ts'
import { Ledger } from '../harness/load/ledger.ts'
import { Load } from '../harness/load/load.ts'
import type { Mix } from '../harness/load/mix.ts'
import { assertNothingLost, type Report } from '../harness/load/report.ts'
import { ResponseReader } from '../harness/load/response-reader.ts'

type Behaviour = (socket: Socket, id: string) => void

/** SHA-1 of nothing. */
const HASH = 'da39a3ee5e6b4b0d3255bfef95601890afd80709'

const answer = (id: string, { status = 200, hash = HASH, pid = 1 } = {}): string => {
  const body = JSON.stringify({ id, pid, generation: 1, hash })
  return `HTTP/1.1 ${status} X\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}

/** A load on a server that does the same to every request. */
async function meet(t: TestContext, behave: Behaviour, { mix = { fresh: 1 }, begins = 1 }: { readonly mix?: Mix; readonly begins?: number } = {}): Promise<Report> {
  const ledger = new Ledger(t)
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      for (const [, id = ''] of bytes.toString('latin1').matchAll(/x-id: (.*)\r\n/g)) {
        for (let time = 0; time < begins; time += 1) appendFileSync(join(ledger.directory, '1'), `B ${id} 1 1\n`)
        behave(socket, id)
      }
    })
  }).listen(0)
  await once(server, 'listening')
  t.after(() => server.close())
  const load = new Load({ port: (server.address() as AddressInfo).port }, { seed: 1, mix, ledger, patienceMs: 300 })
  await load.settled(1)
  return load.stop()
}

const BEHAVIOURS: readonly (readonly [Fate, string, Behaviour])[] = [
  ['ok', 'answers', (socket, id) => socket.write(answer(id))],
  ['lost-before-reply', 'ends the connection without a word', (socket) => socket.end()],
  ['lost-before-reply', 'resets the connection', (socket) => socket.resetAndDestroy()],
  ['lost-in-reply', 'ends the connection within the head', (socket) => socket.end('HTTP/1.1 2')],
  ['lost-in-reply', 'ends the connection within the body', (socket, id) => socket.end(answer(id).slice(0, -1))],
  ['lost-in-reply', 'ends the connection within a chunk', (socket) => socket.end('HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc')],
  ['lost-in-reply', 'ends the connection without the last chunk', (socket) => socket.end('HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n')],
  ['stuck', 'never answers', () => {}],
  ['wrong', 'answers another request', (socket) => socket.write(answer('another'))],
  ['wrong', 'has received another body', (socket, id) => socket.write(answer(id, { hash: 'other' }))],
  ['wrong', 'sends what is no HTTP', (socket) => socket.write('hello\r\n\r\n')],
  ['wrong', 'has no such page', (socket, id) => socket.write(answer(id, { status: 404 }))],
  ['error', 'fails', (socket, id) => socket.write(answer(id, { status: 500 }))],
]

for (const [fate, what, behave] of BEHAVIOURS) {
  test(`a request to a server that ${what} is: ${fate}`, async (t) => {
    const report = await meet(t, behave)
    assert.ok(report.sent > 0)
    assert.equal(report.fates[fate], report.sent)
    if (fate === 'ok') assertNothingLost(report)
    else assert.throws(() => assertNothingLost(report))
  })
}

test('a request to a port where nobody listens is: refused', async (t) => {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  const load = new Load({ port }, { seed: 1, mix: { fresh: 1 }, ledger: new Ledger(t) })
  await load.settled(2)
  const { fates, sent } = await load.stop()
  assert.equal(fates.refused, sent)
})

test('a connection that ends within the handshake of TLS was taken, and its request is: lost-before-reply', async (t) => {
  const server = createServer((socket) => socket.once('data', () => socket.destroy())).listen(0)
  await once(server, 'listening')
  t.after(() => server.close())
  const load = new Load({ port: 0, tlsPort: (server.address() as AddressInfo).port }, { seed: 1, mix: { 'tls-fresh': 1 }, ledger: new Ledger(t) })
  await load.settled(2)
  const { fates, sent } = await load.stop()
  assert.equal(fates['lost-before-reply'], sent)
})

test('requests behind an answer with Connection: close are: declined', async (t) => {
  const report = await meet(t, (socket, id) => socket.end(answer(id).replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n')), { mix: { pipelined: 1 } })
  assert.equal(report.fates.ok * 4, report.fates.declined)
  assertNothingLost(report)
})

test('an answer that nobody asked for is noted', async (t) => {
  const report = await meet(t, (socket, id) => socket.write(answer(id) + answer(id)), { mix: { 'keep-alive': 1 } })
  assert.ok(report.notes.strays > 0)
  assert.throws(() => assertNothingLost(report))
})

test('a request that is run twice is a flaw, also if it was answered', async (t) => {
  const report = await meet(t, (socket, id) => socket.write(answer(id)), { begins: 2 })
  assert.match(report.flaws.join(), /was run 2 times/)
  assert.throws(() => assertNothingLost(report))
})

test('an answer by a worker that has not begun the request is a flaw', async (t) => {
  const report = await meet(t, (socket, id) => socket.write(answer(id, { pid: 2 })))
  assert.match(report.flaws.join(), /was answered by 2, and begun by 1/)
})

test('a lost request is told apart by whether a handler had begun it', async (t) => {
  const [seen, unseen] = [await meet(t, (socket) => socket.end()), await meet(t, (socket) => socket.end(), { begins: 0 })]
  assert.deepEqual([seen.executed.length, seen.unseen.length], [seen.sent, 0])
  assert.deepEqual([unseen.executed.length, unseen.unseen.length], [0, unseen.sent])
})

test('the book does not balance while a request has no fate, and takes no second one', () => {
  const accounts = new Accounts(1)
  const { settle } = accounts.open('test', 0)
  assert.throws(() => accounts.balance(), /without a fate/)
  settle({ fate: 'ok' })
  assert.equal(accounts.balance().sent, 1)
  assert.throws(() => settle({ fate: 'ok' }), /settled twice/)
})

test('responses are read the same whatever pieces they come in', () => {
  const bytes = Buffer.from('HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\nHTTP/1.1 204 X\r\n\r\nHTTP/1.1 500 X\r\ncontent-length: 2\r\n\r\nno')
  const whole = new ResponseReader().take(bytes)
  assert.deepEqual(whole.map(({ status, body }) => [status, String(body)]), [[200, 'abc0123456789'], [204, ''], [500, 'no']])
  for (let size = 1; size < bytes.length; size += 1) {
    const reader = new ResponseReader()
    const found = []
    for (let at = 0; at < bytes.length; at += size) found.push(...reader.take(bytes.subarray(at, at + size)))
    assert.deepEqual(found, whole)
    assert.equal(reader.isWithin, false)
  }
})
