import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { App } from '../harness/app.ts'
import { Connection } from '../harness/http.ts'
import { until } from '../harness/until.ts'

const isLinux = process.platform === 'linux'
/** Twice as many as two workers with so few descriptors can have. */
const LIMIT = 80
const CLIENTS = 200

interface Client {
  readonly connection: Connection
  slot?: string
}

/** Connects, asks once, and stays. */
async function connectAll(t: TestContext, port: number, count: number): Promise<{ readonly clients: readonly Client[]; readonly all: Promise<unknown> }> {
  const clients: Client[] = await Promise.all(Array.from({ length: count }, async () => ({ connection: await Connection.open({ port }) })))
  t.after(() => {
    for (const { connection } of clients) connection.close()
  })
  const all = Promise.all(
    clients.map(async (client) => {
      client.slot = (JSON.parse((await client.connection.request('/')).body) as { readonly slot: string }).slot
    }),
  )
  return { clients, all }
}

for (const balance of ['least-busy', 'shared']) {
  test(`${balance}: what is too much for the descriptors of all workers waits, and none is reset`, { skip: !isLinux }, async (t) => {
    const app = await App.ready(t, 'web.cjs', { workers: 2, descriptors: LIMIT, options: ['--balance', balance], env: { KEEP_ALIVE_MS: '60000' } })
    const { clients, all } = await connectAll(t, app.port, CLIENTS)
    await Promise.race([all, Promise.all([0, 1].map(async (slot) => app.event('worker:full', (record) => record.slot === slot)))])
    const answered = (): readonly Client[] => clients.filter(({ slot }) => slot !== undefined)
    assert.ok(answered().length < CLIENTS)
    const over = all.then(() => true)
    while (answered().length < CLIENTS) {
      const before = answered()
      for (const { connection } of before) connection.close()
      await Promise.race([over, until('the next are served', () => answered().length > before.length)])
    }
    await all
    for (const { connection } of clients) connection.close()
    assert.deepEqual(new Set(clients.map(({ slot }) => slot)), new Set(['0', '1']))
    await app.event('worker:accepting')
    assert.equal((await app.stop()).code, 0)
  })
}

async function ask(client: Client | undefined, path: string): Promise<Record<string, unknown>> {
  assert.ok(client)
  return JSON.parse((await client.connection.request(path)).body) as Record<string, unknown>
}

/** Two workers, a connection to each, and one of them has no descriptor left for another. */
async function fillOne(t: TestContext): Promise<{ readonly app: App; readonly full: Client; readonly other: Client }> {
  const app = await App.ready(t, 'web.cjs', { workers: 2, descriptors: LIMIT, env: { KEEP_ALIVE_MS: '60000' } })
  const { clients, all } = await connectAll(t, app.port, 2)
  await all
  const [full, other] = clients
  assert.ok(full !== undefined && other !== undefined && full.slot !== other.slot)
  await ask(full, `/open-files?upto=${LIMIT * 0.9 - 2}`)
  return { app, full, other }
}

test('a worker whose app has the descriptors leaves connections to the others, and takes its part again when there is room', { skip: !isLinux }, async (t) => {
  const { app, full, other } = await fillOne(t)
  const { clients, all } = await connectAll(t, app.port, 24)
  await all
  const { msg } = await app.event('worker:full')
  assert.match(msg, new RegExp(`^worker ${full.slot} has \\d+ of ${LIMIT} file descriptors in use: it accepts no more until some are closed$`))
  assert.ok(clients.filter(({ slot }) => slot === full.slot).length <= 2)
  assert.deepEqual(await ask(full, '/server').then(({ listening, port }) => ({ listening, port })), { listening: true, port: app.port }, 'the app is told nothing')
  await ask(full, '/close-files')
  await app.event('worker:accepting')
  const later = await connectAll(t, app.port, 8)
  await later.all
  assert.ok(later.clients.some(({ slot }) => slot === full.slot))
  for (const { connection } of [...clients, ...later.clients, full, other]) connection.close()
  assert.equal((await app.stop()).code, 0)
})

test('a server that is closed while its worker is full stays closed', { skip: !isLinux }, async (t) => {
  const { app, full, other } = await fillOne(t)
  const { clients, all } = await connectAll(t, app.port, 12)
  await all
  await app.event('worker:full')
  await ask(full, '/close-server')
  await ask(full, '/close-files')
  await app.event('worker:accepting')
  const later = await connectAll(t, app.port, 8)
  await later.all
  assert.deepEqual(new Set(later.clients.map(({ slot }) => slot)), new Set([other.slot]))
  for (const { connection } of [...clients, ...later.clients, full, other]) connection.close()
  assert.equal((await app.stop()).code, 0)
})

test('a worker whose app has taken every descriptor goes on, and tells how it is', { skip: !isLinux }, async (t) => {
  const { app, full, other } = await fillOne(t)
  await ask(full, `/open-files?upto=${LIMIT * 2}`)
  // Long enough for what workers say once a second.
  assert.equal((await full.connection.request('/slow?ms=2500')).status, 200)
  assert.equal(app.records.some(({ event }) => event === 'worker:exited'), false)
  for (const { connection } of [full, other]) connection.close()
  assert.equal((await app.stop()).code, 0)
})
