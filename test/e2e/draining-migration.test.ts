import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { randomFrom } from '../core/simulation/random.ts'
import { App, freePort, type StartOptions } from '../harness/app.ts'
import { Connection, type Response } from '../harness/http.ts'
import { Program } from '../harness/program.ts'
import { until } from '../harness/until.ts'

interface Answer {
  readonly pid: number
  readonly slot: string
  readonly generation: string
}

const answerOf = ({ body }: Response): Answer => JSON.parse(body) as Answer

async function openAll(t: TestContext, port: number, count: number): Promise<readonly Connection[]> {
  const connections = await Promise.all(Array.from({ length: count }, async () => Connection.open({ port })))
  t.after(() => {
    for (const connection of connections) connection.close()
  })
  return connections
}

async function askAll(connections: readonly Connection[]): Promise<readonly Response[]> {
  return Promise.all(connections.map(async (connection) => connection.request('/')))
}

/** Reloads, and waits until the old workers are gone. */
async function reload(app: App, nth = 1): Promise<void> {
  const old = app.workerPids().length
  app.kill('SIGUSR2')
  await app.event('reload:finished', () => true, nth)
  await app.event('worker:exited', ({ kind }) => kind === 'retired', nth * old)
}

for (const [what, options] of Object.entries({
  'one worker': { workers: 1 },
  'two workers': { workers: 2 },
  'round-robin': { workers: 2, options: ['--balance', 'round-robin'] },
} satisfies Record<string, StartOptions>)) {
  test(`a reload moves idle connections to new workers, and nobody sees a close (${what})`, async (t) => {
    const app = await App.ready(t, 'web.cjs', { ...options, env: { KEEP_ALIVE_MS: '20000' } })
    const connections = await openAll(t, app.port, 12)
    await askAll(connections)
    await reload(app)
    const answers = await askAll(connections)
    assert.deepEqual(new Set(answers.map((response) => answerOf(response).generation)), new Set(['2']))
    assert.deepEqual(new Set(answers.map(({ headers }) => headers['connection'])), new Set(['keep-alive']))
    assert.ok(connections.every(({ ended, failure }) => !ended && failure === undefined))
  })
}

test('connections that have not sent anything yet move, too, and so do those that moved before and are silent', async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 1, env: { KEEP_ALIVE_MS: '20000' } })
  const [silent, used] = [await openAll(t, app.port, 4), await openAll(t, app.port, 4)]
  await askAll(used)
  await reload(app, 1)
  await reload(app, 2)
  const answers = await askAll([...silent, ...used])
  assert.deepEqual(new Set(answers.map((response) => answerOf(response).generation)), new Set(['3']))
})

test('a connection that moved and never sends again is closed when its keep-alive time is over, without a word', async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 1, env: { KEEP_ALIVE_MS: '2000', HEADERS_TIMEOUT_MS: '1000' } })
  const [connection] = await openAll(t, app.port, 1)
  assert.ok(connection)
  await connection.request('/')
  const read = connection.socket.bytesRead
  await reload(app)
  const moved = performance.now()
  await connection.closed()
  const tookMs = performance.now() - moved
  assert.equal(connection.failure, undefined)
  assert.equal(connection.socket.bytesRead, read, 'no 408')
  // Node closes one second later than it promises.
  assert.ok(tookMs > 1900 && tookMs < 6000, `${tookMs} ms`)
})

test('a request on a connection that moved may take longer than its keep-alive time', async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 1, env: { KEEP_ALIVE_MS: '500' } })
  const [connection] = await openAll(t, app.port, 1)
  assert.ok(connection)
  const asking = setInterval(() => connection.send('/'), 200)
  await reload(app)
  clearInterval(asking)
  connection.send('/slow?ms=2500')
  let answer = await connection.receive()
  while (connection.socket.bytesRead > 0 && answerOf(answer).generation === '1') answer = await connection.receive()
  assert.equal(connection.failure, undefined)
})

for (const [what, options] of Object.entries({
  '--no-rebalance': ['--no-rebalance'],
  '--balance shared': ['--balance', 'shared'],
  '--sticky cookie': ['--sticky', 'cookie'],
})) {
  test(`${what}: nothing moves; the next answer on an idle connection says close`, async (t) => {
    const app = await App.ready(t, 'web.cjs', { workers: 1, options, env: { KEEP_ALIVE_MS: '20000' } })
    const connections = await openAll(t, app.port, 12)
    await askAll(connections)
    app.kill('SIGUSR2')
    await app.event('reload:finished')
    const answers = await askAll(connections)
    assert.deepEqual(new Set(answers.map(({ status, headers }) => `${status} ${headers['connection']}`)), new Set(['200 close']))
    await Promise.all(connections.map(async (connection) => connection.closed()))
  })
}

test('--sticky ip: idle connections move to the worker that their clients belong to', async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 3, options: ['--sticky', 'ip'], env: { KEEP_ALIVE_MS: '20000' } })
  const connections = await openAll(t, app.port, 8)
  const before = await askAll(connections)
  await reload(app)
  const after = await askAll(connections)
  assert.deepEqual(after.map((response) => answerOf(response).slot), before.map((response) => answerOf(response).slot))
  assert.deepEqual(new Set(after.map((response) => answerOf(response).generation)), new Set(['2']))
})

test('idle connections of a worker that is scaled away move, and are counted', async (t) => {
  const port = await freePort()
  const program = Program.start(
    t,
    `
    const supervisor = await createSupervisor({ script: 'web.cjs', workers: 2, port: ${port}, env: { KEEP_ALIVE_MS: '20000' } })
    await supervisor.start()
    process.once('SIGUSR2', () => supervisor.scale(1).then(() => report('scaled', supervisor.handOvers)))
    process.once('SIGTERM', () => supervisor.stop())
    report('started', true)
  `,
  )
  await program.report('started')
  const connections = await openAll(t, port, 16)
  const leaving = (await askAll(connections)).filter((response) => answerOf(response).slot === '1').length
  program.child.kill('SIGUSR2')
  const { relayed } = (await program.report('scaled')) as { readonly relayed: number }
  assert.ok(leaving > 0 && relayed >= leaving, `${relayed} of ${leaving}`)
  assert.deepEqual(new Set((await askAll(connections)).map((response) => answerOf(response).slot)), new Set(['0']))
  for (const connection of connections) connection.close()
  program.child.kill('SIGTERM')
  assert.equal(await program.ended, 0)
})

test('a supervisor that is stopped in the middle of it: every connection is answered when it goes on', async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 1, env: { KEEP_ALIVE_MS: '20000' } })
  const connections = await openAll(t, app.port, 200)
  await askAll(connections)
  const draining = app.event('worker:draining')
  app.kill('SIGUSR2')
  await draining
  app.kill('SIGSTOP')
  let answered = 0
  const answers = connections.map(async (connection) => {
    const answer = await connection.request('/')
    answered += 1
    return answer
  })
  await until('what is in no other hands is answered', () => answered >= connections.length - 32)
  app.kill('SIGCONT')
  for (const { status } of await Promise.all(answers)) assert.equal(status, 200)
})

test('requests that are sent while connections move are answered once, whatever the moment', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  t.diagnostic(`seed ${seed}`)
  const random = randomFrom(seed)
  const app = await App.ready(t, 'web.cjs', { workers: 2, env: { KEEP_ALIVE_MS: '20000' } })
  let exchanges = 0
  let closes = 0
  const over = new AbortController()
  const lanes = Array.from({ length: 32 }, async (_, index) => {
    let [connection] = await openAll(t, app.port, 1)
    while (!over.signal.aborted) {
      assert.ok(connection)
      const mark = `m${index}-${exchanges}`
      exchanges += 1
      const text = `POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: ${mark.length}\r\n\r\n${mark}`
      const cut = random.between(0, text.length)
      if (cut > 0) connection.socket.write(text.slice(0, cut))
      if (random.chance(0.5)) await new Promise((resolve) => setImmediate(resolve))
      if (cut < text.length) connection.socket.write(text.slice(cut))
      const answer = await connection.receive()
      assert.equal((JSON.parse(answer.body) as { readonly body: string }).body, mark)
      if (answer.headers['connection'] === 'close') {
        closes += 1
        await connection.closed()
        ;[connection] = await openAll(t, app.port, 1)
      }
      await new Promise((resolve) => setTimeout(resolve, random.between(0, 10)))
    }
    assert.equal(connection?.failure, undefined)
  })
  const failure = Promise.race(lanes)
  for (let nth = 1; nth <= 5; nth += 1) await Promise.race([failure, reload(app, nth)])
  over.abort()
  await Promise.all(lanes)
  t.diagnostic(`${exchanges} exchanges, ${closes} of them the last of a connection`)
})
