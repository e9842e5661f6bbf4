/** Apps that change what everycore works with. The tampering one replaces `process.send` and `process.exit`, patches `listen`, disconnects, removes all listeners, and freezes prototypes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { App } from '../harness/app.ts'
import { Connection, get, RequestLost } from '../harness/http.ts'
import { until } from '../harness/until.ts'

const TAMPERING = 'tampers.cjs'

test('an app that disconnects while its listen() is under way has the error at once, and everycore says which', async (t) => {
  const app = await App.start(t, 'disconnects.cjs', { options: ['--ready-timeout', '10m'] })
  assert.equal((await app.ended).code, 3)
  assert.match(app.transcript, /disconnects\.cjs could not listen on port \d+/)
  assert.match(app.transcript, /EPIPE/)
})

test('an app that tampers with process and prototypes: a reload and a stop lose no request', async (t) => {
  const app = await App.ready(t, TAMPERING)
  const over = new AbortController()
  const clients = Array.from({ length: 8 }, async () => {
    let connection = await Connection.open({ port: app.port })
    while (!over.signal.aborted) {
      const { status, headers } = await connection.request('/slow?ms=3')
      assert.equal(status, 200)
      if (headers['connection'] !== 'close') continue
      connection.close()
      connection = await Connection.open({ port: app.port })
    }
    connection.close()
  })
  app.kill('SIGUSR2')
  await app.event('reload:finished')
  over.abort()
  await Promise.all(clients)
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
})

test('an app that tampers with process and prototypes: when it hangs it is killed and replaced', async (t) => {
  const app = await App.ready(t, TAMPERING, { options: ['--hang-timeout', '1s'] })
  const lost = assert.rejects(get({ port: app.port }, '/hang'), RequestLost)
  const { slot } = await app.event('worker:stalled')
  await app.event('worker:ready', (record) => record.slot === slot, 2)
  await lost
  assert.equal((await get({ port: app.port })).status, 200)
})

test('an app that tampers with process and prototypes: it does not outlive a supervisor that is killed', async (t) => {
  const app = await App.ready(t, TAMPERING)
  const slow = get({ port: app.port }, '/slow?ms=700')
  await until('the request is under way', async () => (await get({ port: app.port })).status === 200)
  app.kill('SIGKILL')
  assert.equal((await slow).status, 200)
  await until('no process is left', () => app.leftovers().length === 0)
})
