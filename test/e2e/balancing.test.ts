import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { HandOvers, WorkerLoad } from '../../src/index.ts'
import { WINDOW_MEMORY_MS } from '../../src/protocol/window.ts'
import { App, freePort } from '../harness/app.ts'
import { Connection, get } from '../harness/http.ts'
import { isAlive } from '../harness/processes.ts'
import { Program } from '../harness/program.ts'
import { until } from '../harness/until.ts'

interface Held {
  readonly connection: Connection
  readonly slot: string
}

async function hold(t: TestContext, target: Parameters<typeof Connection.open>[0], path = '/'): Promise<Held> {
  const connection = await Connection.open(target)
  t.after(() => connection.close())
  return { connection, slot: slotIn(await connection.request(path)) }
}

function slotIn({ body }: { readonly body: string }): string {
  return (JSON.parse(body) as { readonly slot: string }).slot
}

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function countBySlot(held: readonly Held[]): readonly number[] {
  const counts = new Map<string, number>()
  for (const { slot } of held) counts.set(slot, (counts.get(slot) ?? 0) + 1)
  return [...counts.values()].sort((a, b) => a - b)
}

/** At once nobody knows better, and a busy machine is late to tell; then idle ones move. */
async function evenly(held: readonly Held[], most: number): Promise<void> {
  await until(`no worker has more than ${most}`, async () => {
    const now = await Promise.all(held.map(async ({ connection }) => ({ connection, slot: slotIn(await connection.request('/')) })))
    return Math.max(...countBySlot(now)) <= most
  })
}

test('round-robin: each worker in its turn, and the app sees the address that it asked for', async (t) => {
  const app = await App.ready(t, 'several.cjs', { workers: 3, options: ['--balance', 'round-robin'], env: { PORT_2: String(await freePort()), PORT_3: String(await freePort()), PORT_4: String(await freePort()), SOCKET_PATH: join(scratch(t), 'app.sock') } })
  const anyPort = Number((await app.line(/^ANY /)).msg.split(' ')[1])
  assert.match((await get({ port: anyPort })).body, /^any/)
  // In their order, unless one of them does not answer for a moment.
  const pids = new Set<string>()
  await until('each has had its turn', async () => pids.add((await get({ port: app.port })).body).size === 3)
})

test('connections that stay are spread evenly, opened one after the other or all at once', async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 4 })
  const slowly: Held[] = []
  for (let count = 0; count < 20; count += 1) slowly.push(await hold(t, { port: app.port }))
  await evenly(slowly, 6)
  const atOnce = await Promise.all(Array.from({ length: 40 }, async () => hold(t, { port: app.port })))
  await evenly([...slowly, ...atOnce], 17)
})

test('unix sockets are balanced too', async (t) => {
  const path = join(scratch(t), 'app.sock')
  await App.ready(t, 'web.cjs', { workers: 3, env: { LISTEN_PATH: path } })
  const held = await Promise.all(Array.from({ length: 12 }, async () => hold(t, { path })))
  await evenly(held, 5)
})

test('a worker that hangs gets no connection, and what was on the way to it is served by others when it is killed', async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 2 })
  const [first, second] = [await hold(t, { port: app.port }), await hold(t, { port: app.port })]
  assert.notEqual(first.slot, second.slot)
  second.connection.send('/hang')
  await app.line(/^hanging/)
  // One or two may be on their way to it before it is found out; more, as long as it is remembered that it has just taken some.
  await wait(2 * WINDOW_MEMORY_MS)
  const waiting = Array.from({ length: 10 }, async () => hold(t, { port: app.port }))
  let answered = 0
  for (const one of waiting) void one.then(() => (answered += 1))
  await until('others serve all but those', () => answered >= 8)
  process.kill(app.workerPids()[Number(second.slot)] ?? -1, 'SIGKILL')
  const held = await Promise.all(waiting)
  assert.equal(held.length, 10)
})

test('a worker that drains gives what comes too late to others', async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 3 })
  const held: Held[] = []
  const controller = new AbortController()
  const load = async (): Promise<void> => {
    while (!controller.signal.aborted) held.push(await hold(t, { port: app.port }))
  }
  const lanes = Array.from({ length: 8 }, load)
  app.kill('SIGUSR2')
  await app.event('reload:finished')
  controller.abort()
  await Promise.all(lanes)
  assert.ok(held.length > 8, 'none was lost: each would have thrown')
})

/** One worker accepts six connections of which it should keep one or two, and the supervisor does not fetch the others. */
async function crowd(t: TestContext, app: App): Promise<{ readonly held: readonly Promise<Held>[]; readonly answered: () => number }> {
  await Promise.all([hold(t, { port: app.port }), hold(t, { port: app.port })])
  app.kill('SIGSTOP')
  process.kill(app.workerPids()[1] ?? -1, 'SIGSTOP')
  let count = 0
  const held = Array.from({ length: 6 }, async () => hold(t, { port: app.port }))
  for (const one of held) void one.then(() => (count += 1), () => {})
  return { held, answered: () => count }
}

test('a stopped supervisor keeps one connection waiting, and the worker serves the others', async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 2 })
  const { held, answered } = await crowd(t, app)
  await until('all but one are answered', () => answered() >= 5)
  process.kill(app.workerPids()[1] ?? -1, 'SIGCONT')
  app.kill('SIGCONT')
  await Promise.all(held)
})

test('connections on their way out of a worker are not lost when the supervisor is killed', async (t) => {
  const app = await App.ready(t, 'web.cjs', { workers: 2 })
  const pids = app.workerPids()
  const { held, answered } = await crowd(t, app)
  await until('it has begun', () => answered() >= 1)
  app.kill('SIGKILL')
  const all = await Promise.all(held)
  assert.equal(all.length, 6)
  for (const { connection } of all) connection.close()
  process.kill(pids[1] ?? -1, 'SIGCONT')
  await until('no worker is left', () => pids.every((pid) => !isAlive(pid)))
})

test('supervisor.loads tells connections, requests in flight, and how late a busy loop is', async (t) => {
  const port = await freePort()
  const program = Program.start(
    t,
    `
    const supervisor = await createSupervisor({ script: 'web.cjs', workers: 2, port: ${port} })
    await supervisor.start()
    process.once('SIGTERM', () => supervisor.stop())
    report('started', true)
    const until = async (holds) => {
      for (;;) {
        const [first, second] = supervisor.loads
        if (first !== undefined && second !== undefined && holds(first, second)) return supervisor.loads
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
    report('in flight', await until((first, second) => first.open + second.open === 6 && first.inFlight > 0 && second.inFlight > 0 && first.inFlight + second.inFlight >= 4))
    report('late', await until((...loads) => loads.some(({ lagMs, busy }) => lagMs >= 50 && busy > 0.2)))
  `,
  )
  await program.report('started')
  const held: Held[] = []
  for (let count = 0; count < 6; count += 1) held.push(await hold(t, { port }))
  for (const { connection } of held) connection.send('/slow?ms=4000')
  const loads = (await program.report('in flight')) as readonly Record<string, number>[]
  assert.deepEqual(new Set(loads.map(({ slot }) => slot)), new Set([0, 1]))
  for (const { connection } of held) assert.equal((await connection.receive()).status, 200)
  await Promise.all(held.map(async ({ connection }) => connection.request('/block?ms=400')))
  await program.report('late')
  for (const { connection } of held) connection.close()
  program.child.kill('SIGTERM')
  assert.equal(await program.ended, 0)
})

interface Books {
  readonly loads: readonly WorkerLoad[]
  readonly handOvers: HandOvers
}

/** Seven connections came to two workers that may have three each. */
function isBalanced({ loads, handOvers }: Books): boolean {
  const sum = (value: (load: WorkerLoad) => number): number => loads.reduce((total, load) => total + value(load), 0)
  const given = sum(({ handedOver, moved }) => handedOver.surplus + handedOver.full + moved)
  const taken = sum((load) => load.taken)
  return (
    sum(({ accepted }) => accepted) === 7 &&
    sum(({ dropped }) => dropped) === 1 &&
    sum(({ open }) => open) === 6 &&
    sum(({ handedOver }) => handedOver.full) >= 1 &&
    sum(({ refused }) => refused) >= 1 &&
    taken === given &&
    taken === handOvers.relayed + handOvers.gaveBack &&
    handOvers.gaveUp === 0 &&
    handOvers.waiting === 0
  )
}

test('every connection is accounted for: accepted, handed over and why, taken, refused, dropped', async (t) => {
  const port = await freePort()
  const program = Program.start(
    t,
    `
    const supervisor = await createSupervisor({ script: 'web.cjs', workers: 2, port: ${port}, env: { MAX_CONNECTIONS: '3' } })
    await supervisor.start()
    process.once('SIGTERM', () => supervisor.stop())
    process.on('SIGUSR2', () => report('counts', { loads: supervisor.loads, handOvers: supervisor.handOvers }))
    report('started', true)
  `,
  )
  await program.report('started')
  const held: Held[] = []
  for (let count = 0; count < 6; count += 1) held.push(await hold(t, { port }))
  assert.deepEqual(countBySlot(held), [3, 3])
  await assert.rejects(get({ port }), /lost-before-reply/)
  let books: Books | undefined
  let asked = 0
  await until('all workers have told all', async () => {
    program.child.kill('SIGUSR2')
    asked += 1
    books = (await program.report('counts', asked)) as Books
    return isBalanced(books)
  }).catch(() => assert.fail(JSON.stringify(books)))
  for (const { connection } of held) connection.close()
  program.child.kill('SIGTERM')
  assert.equal(await program.ended, 0)
})

test('a function says which slot gets the next connections, and when it throws least-busy goes on', async (t) => {
  const port = await freePort()
  const program = Program.start(
    t,
    `
    let favourite = 1
    const seen = new Set()
    const supervisor = await createSupervisor({
      script: 'web.cjs', workers: 3, port: ${port},
      balance(loads) {
        for (const { slot } of loads) seen.add(slot)
        if (favourite === undefined) throw new Error('a defect of the function')
        return favourite
      },
    })
    await supervisor.start()
    process.on('SIGUSR2', () => {
      favourite = favourite === 1 ? 2 : undefined
      report('changed', [...seen].sort())
    })
    process.once('SIGTERM', () => supervisor.stop())
    report('started', true)
  `,
  )
  await program.report('started')
  const held: Held[] = []
  const fill = async (count: number): Promise<readonly string[]> => {
    const more = await Promise.all(Array.from({ length: count }, async () => hold(t, { port })))
    held.push(...more)
    return more.map(({ slot }) => slot)
  }
  assert.deepEqual(new Set(await fill(12)), new Set(['1']))
  program.child.kill('SIGUSR2')
  assert.deepEqual(await program.report('changed'), [0, 1, 2])
  // The first make the workers report, so that the function is asked again.
  await until('the other one is chosen', async () => (await fill(6)).every((slot) => slot === '2'))
  program.child.kill('SIGUSR2')
  await until('least busy decides', async () => (await fill(1))[0] === '0')
  await until('it is told', () => program.stderr.includes('the function `balance` is asked no more, least-busy decides alone: it threw a defect of the function'))
  for (const { connection } of held) connection.close()
  program.child.kill('SIGTERM')
  assert.equal(await program.ended, 0)
})
