import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { randomFrom, type Random } from '../core/simulation/random.ts'
import { freePort } from '../harness/app.ts'
import { Connection } from '../harness/http.ts'
import { Program } from '../harness/program.ts'
import { until } from '../harness/until.ts'

const CONNECTIONS = 24

/** One turn of the loop for each piece, so that the pieces arrive as such. */
async function sendInPieces(connection: Connection, text: string, random: Random): Promise<void> {
  const cut = random.between(0, text.length)
  for (const piece of [text.slice(0, cut), text.slice(cut)]) {
    if (piece !== '') connection.socket.write(piece)
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
}

const get = (mark: string): string => `GET /?${mark} HTTP/1.1\r\nhost: test\r\nx-mark: ${mark}\r\n\r\n`
const post = (mark: string, extra = ''): string => `POST /echo HTTP/1.1\r\nhost: test\r\n${extra}content-length: ${mark.length}\r\n\r\n${mark}`

/** One exchange of a shape by chance; what comes back must belong to what was sent. */
async function exchange(connection: Connection, mark: string, random: Random): Promise<string> {
  const shape = random.pick(['get', 'post', 'pair', 'continue'] as const)
  if (shape === 'get') await sendInPieces(connection, get(mark), random)
  if (shape === 'post') await sendInPieces(connection, post(mark), random)
  if (shape === 'continue') {
    await sendInPieces(connection, post(mark, 'expect: 100-continue\r\n'), random)
    assert.equal((await connection.receive()).status, 100)
  }
  if (shape === 'pair') {
    await sendInPieces(connection, get(mark) + post(mark), random)
    assert.equal((await connection.receive()).status, 200)
  }
  const response = await connection.receive()
  assert.equal(response.status, 200)
  const answer = JSON.parse(response.body) as { readonly slot: string; readonly body?: string }
  if (shape !== 'get') assert.equal(answer.body, mark)
  return answer.slot
}

async function openAll(t: TestContext, port: number): Promise<readonly Connection[]> {
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, async () => Connection.open({ port })))
  t.after(() => {
    for (const connection of connections) connection.close()
  })
  return connections
}

test('idle connections move to new workers, and no byte is lost or read twice, whatever is sent in whatever pieces', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  t.diagnostic(`seed ${seed}`)
  const random = randomFrom(seed)
  const port = await freePort()
  const program = Program.start(
    t,
    `
    const supervisor = await createSupervisor({ script: 'web.cjs', workers: 1, port: ${port} })
    await supervisor.start()
    process.once('SIGUSR2', () => supervisor.scale(4).then(() => report('scaled', true)))
    process.once('SIGTERM', () => supervisor.stop())
    report('started', true)
  `,
  )
  await program.report('started')
  const connections = await openAll(t, port)
  const slots = new Map<number, string>()
  const ended = new AbortController()
  let exchanges = 0
  const lanes = connections.map(async (connection, index) => {
    while (!ended.signal.aborted) {
      slots.set(index, await exchange(connection, `m${index}-${exchanges}`, random))
      exchanges += 1
      // An idle moment, of a length by chance.
      await new Promise((resolve) => {
        setTimeout(resolve, random.between(0, 20))
      })
    }
  })
  const failure = Promise.race(lanes)
  await until('all are served', () => slots.size === CONNECTIONS)
  program.child.kill('SIGUSR2')
  const spread = (): readonly number[] => ['0', '1', '2', '3'].map((slot) => [...slots.values()].filter((one) => one === slot).length)
  await Promise.race([failure, until('they have moved', () => Math.max(...spread()) <= CONNECTIONS / 4 + 3, 20_000)])
  await Promise.race([failure, program.report('scaled')])
  ended.abort()
  await Promise.all(lanes)
  assert.ok(connections.every((connection) => !connection.ended && connection.failure === undefined), 'every connection is the one that was opened')
  for (const connection of connections) connection.close()
  program.child.kill('SIGTERM')
  assert.equal(await program.ended, 0)
})

/** Who serves each of them. */
async function slotsOf(connections: readonly Connection[]): Promise<readonly string[]> {
  return Promise.all(connections.map(async (connection) => (JSON.parse((await connection.request('/')).body) as { readonly slot: string }).slot))
}

test('--no-rebalance: idle connections stay where they are, while those beside them move', async (t) => {
  const ports = [await freePort(), await freePort()] as const
  const program = Program.start(
    t,
    `
    const make = (port, options) => createSupervisor({ script: 'web.cjs', workers: 1, port, ...options })
    const [moving, staying] = [await make(${ports[0]}), await make(${ports[1]}, { rebalance: false })]
    const both = [moving, staying]
    await Promise.all(both.map((supervisor) => supervisor.start()))
    const moved = (supervisor) => supervisor.loads.reduce((sum, load) => sum + load.moved, 0)
    process.once('SIGUSR2', async () => {
      await Promise.all(both.map((supervisor) => supervisor.scale(2)))
      while (moved(moving) < 8) await new Promise((resolve) => setTimeout(resolve, 10))
      report('moved', moved(staying))
    })
    process.once('SIGTERM', () => both.map((supervisor) => supervisor.stop()))
    report('started', true)
  `,
  )
  await program.report('started')
  const [moving, staying] = [await openAll(t, ports[0]), await openAll(t, ports[1])]
  assert.deepEqual(new Set([...(await slotsOf(moving)), ...(await slotsOf(staying))]), new Set(['0']))
  program.child.kill('SIGUSR2')
  assert.equal(await program.report('moved'), 0)
  assert.deepEqual(new Set(await slotsOf(moving)), new Set(['0', '1']))
  assert.deepEqual(new Set(await slotsOf(staying)), new Set(['0']))
  for (const connection of [...moving, ...staying]) connection.close()
  program.child.kill('SIGTERM')
  assert.equal(await program.ended, 0)
})
