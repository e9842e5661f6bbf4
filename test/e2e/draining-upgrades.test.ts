import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { App } from '../harness/app.ts'
import { get } from '../harness/http.ts'
import { until } from '../harness/until.ts'

const UPGRADE = 'GET / HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: test\r\n\r\n'
const stopped = { code: 0, signal: null }

class Client {
  readonly socket: Socket
  readonly ended: Promise<unknown>
  text = ''

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.setEncoding('utf8').on('data', (chunk: string) => (this.text += chunk))
    this.ended = once(this.socket, 'end')
  }
}

test('an upgraded connection is told by a FIN after what was written', async (t) => {
  const app = await App.ready(t, 'upgrades.cjs', { workers: 1 })
  const client = new Client(app.port)
  client.socket.write(UPGRADE)
  await until('it is upgraded', () => client.text.includes('hello'))
  app.kill('SIGTERM')
  await client.ended
  assert.match(client.text, /goodbye$/)
  assert.deepEqual(await app.ended, stopped)
})

test('an upgrade that the app has not answered yet is in flight; afterwards it is told and ended', async (t) => {
  const app = await App.ready(t, 'upgrades-late.cjs', { workers: 1 })
  const client = new Client(app.port)
  client.socket.write(UPGRADE)
  await app.line(/ASKED/)
  app.kill('SIGTERM')
  await client.ended
  assert.match(client.text, /^HTTP\/1.1 101 .*hello goodbye$/s)
  assert.deepEqual(await app.ended, stopped)
})

test('an upgrade that is asked for during the drain is told and ended soon', async (t) => {
  const app = await App.ready(t, 'upgrades-late.cjs', { workers: 1 })
  const client = new Client(app.port)
  await once(client.socket, 'connect')
  // Accepted in the order of the queue.
  await get({ port: app.port })
  app.kill('SIGTERM')
  await app.line(/DRAINING/)
  client.socket.write(UPGRADE)
  const asked = performance.now()
  await client.ended
  assert.match(client.text, /^HTTP\/1.1 101 .*hello goodbye$/s)
  assert.ok(performance.now() - asked < 5000, 'long before the drain timeout of 25 s')
  assert.deepEqual(await app.ended, stopped)
})
