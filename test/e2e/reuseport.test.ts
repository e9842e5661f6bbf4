/** A held socket for each slot. On a Node that cannot bind them, that is what is tested. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { App, freePort } from '../harness/app.ts'
import { Connection, get, type RequestLost } from '../harness/http.ts'
import { listeningInodes, listeningInodesOf } from '../harness/listening-sockets.ts'
import { Program } from '../harness/program.ts'
import { hasReusePort } from '../harness/reuse-port.ts'
import { until } from '../harness/until.ts'

/** A connection that nobody accepts would wait for ever. */
const LIMIT = { timeout: 60_000 }
const OPTIONS = { options: ['--balance', 'reuseport'] }
const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ family }) => family === 'IPv6') === true)

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Sends requests, each on a connection of its own, until it is ended. Fails with the first that is not answered. */
class Load {
  answered = 0
  readonly #over: Promise<unknown>
  readonly #controller = new AbortController()

  constructor(port: number, lanes = 6) {
    const lane = async (): Promise<void> => {
      while (!this.#controller.signal.aborted) {
        assert.equal((await get({ port })).status, 200)
        this.answered += 1
      }
    }
    this.#over = Promise.all(Array.from({ length: lanes }, lane))
    this.#over.catch(() => {})
  }

  /** Waits for something while it goes on. */
  async during<T>(event: Promise<T>): Promise<T> {
    return (await Promise.race([this.#over, event])) as T
  }

  async more(count = 30): Promise<void> {
    const goal = this.answered + count
    await this.during(until('more are answered', () => this.answered >= goal))
  }

  async end(): Promise<void> {
    this.#controller.abort()
    await this.#over
  }
}

async function slotsThatAnswer(port: number, count = 40): Promise<ReadonlySet<string>> {
  const bodies = await Promise.all(Array.from({ length: count }, async () => (await get({ port })).body))
  return new Set(bodies.map((body) => (body.startsWith('{') ? (JSON.parse(body) as { slot: string }).slot : body)))
}

/** A connection to the worker of each slot. */
async function onePerSlot(t: TestContext, app: App, count: number): Promise<readonly Connection[]> {
  const bySlot = new Map<string, Connection>()
  await until('a connection to each', async () => {
    const connection = await Connection.open({ port: app.port })
    t.after(() => connection.close())
    const { slot } = JSON.parse((await connection.request('/')).body) as { readonly slot: string }
    bySlot.set(slot, connection)
    return bySlot.size === count
  })
  return [...bySlot.values()]
}

if (hasReusePort) describeIt()
else {
  test('where Node or the system cannot do it, that is told before anything is started', async (t) => {
    const app = await App.start(t, 'web.cjs', OPTIONS)
    assert.equal((await app.ended).code, 2)
    const told = app.records.map((record) => Object.values(record).join(' ')).join('\n')
    assert.match(told, /--balance \(flag\): "reuseport" is not possible here/)
    assert.match(told, /Node \d+\.\d+\.\d+ could not bind|only Linux/)
    assert.match(told, /least-busy, shared, round-robin/)
    assert.ok(!app.records.some(({ event }) => event === 'worker:spawned'))
    const program = Program.start(t, `await createSupervisor({ script: 'web.cjs', balance: 'reuseport' }).catch(({ code, message }) => report('failed', [code, message]))`)
    assert.deepEqual(await program.report('failed'), ['ERR_EVERYCORE_SETTING', 'balance (option): "reuseport" is not possible here'])
  })
}

function describeIt(): void {
  test('each slot has a socket of its own, and keeps it when its worker is replaced', LIMIT, async (t) => {
    const app = await App.ready(t, 'web.cjs', { ...OPTIONS, workers: 3 })
    const before = listeningInodes(app.port)
    assert.equal(before.size, 3)
    const mine = app.workerPids().map((pid) => [...listeningInodesOf(pid, app.port)])
    assert.deepEqual(mine.map((inodes) => inodes.length), [1, 1, 1])
    assert.deepEqual(new Set(mine.flat()), before)
    assert.equal((await slotsThatAnswer(app.port, 100)).size, 3)
    process.kill(app.workerPids()[1] ?? -1, 'SIGKILL')
    await app.event('worker:ready', ({ slot }) => slot === 1, 2)
    app.kill('SIGUSR2')
    await app.event('reload:finished')
    await until('the same sockets are where they were', () => app.workerPids().every((pid, slot) => [...listeningInodesOf(pid, app.port)].join() === mine[slot]?.join()))
    assert.deepEqual(listeningInodes(app.port), before)
  })

  test('every connection is answered while workers are reloaded and their number changes', LIMIT, async (t) => {
    const port = await freePort()
    const program = Program.start(
      t,
      `
      const supervisor = await createSupervisor({ script: 'web.cjs', workers: 2, balance: 'reuseport', port: ${port} })
      const steps = {
        up: () => supervisor.scale(5),
        reload: () => supervisor.reload(),
        down: () => supervisor.scale(1),
        reloadOne: () => supervisor.reload(),
        partlyUp: () => supervisor.scale(3),
        reloadAgain: () => supervisor.reload(),
        downAgain: () => supervisor.scale(2),
        stop: () => supervisor.stop(),
      }
      await supervisor.start()
      report('started', null)
      for await (const line of (await import('node:readline')).createInterface({ input: process.stdin })) {
        await steps[line]()
        report(line, supervisor.snapshot.workers.map(({ pid }) => pid))
      }
    `,
    )
    const step = async (name: string): Promise<readonly number[]> => {
      program.child.stdin?.write(`${name}\n`)
      return (await program.report(name)) as readonly number[]
    }
    await program.report('started')
    const load = new Load(port)
    await load.more()
    for (const name of ['up', 'reload', 'down', 'reloadOne', 'partlyUp', 'reloadAgain', 'downAgain']) {
      await load.during(step(name))
      await load.more()
    }
    assert.equal(listeningInodes(port).size, 5, 'no socket is closed while the app listens: closing one would reset its queue')
    await load.end()
    program.child.stdin?.end('stop\n')
    await program.report('stop')
    assert.equal(await program.ended, 0)
    assert.equal(listeningInodes(port).size, 0)
  })

  test('what waits in the queues is answered by the successors when all workers are killed at once', LIMIT, async (t) => {
    const app = await App.ready(t, 'web.cjs', { ...OPTIONS, workers: 3 })
    for (const connection of await onePerSlot(t, app, 3)) connection.send('/hang')
    await app.line(/^hanging/, 3)
    const waiting = Array.from({ length: 30 }, async () => get({ port: app.port }))
    const all = Promise.all(waiting)
    await until('all are in the queues', () => queued(app.port) === 30)
    for (const pid of app.workerPids()) process.kill(pid, 'SIGKILL')
    for (const { status } of await all) assert.equal(status, 200)
  })

  test('what waits for a killed worker is answered by others, and they give its socket back', LIMIT, async (t) => {
    const app = await App.ready(t, 'web.cjs', { ...OPTIONS, workers: 2 })
    const inodes = app.workerPids().map((pid) => [...listeningInodesOf(pid, app.port)].join())
    const second = (): number => app.workerPids()[1] ?? -1
    // Its successor comes at once the first time, and after a back-off from then on.
    process.kill(second(), 'SIGKILL')
    await app.event('worker:ready', ({ slot }) => slot === 1, 2)
    const gone = second()
    process.kill(gone, 'SIGSTOP')
    const waiting = Promise.all(Array.from({ length: 40 }, async () => (await get({ port: app.port })).body))
    await until('the other has answered all but its own', () => queued(app.port) > 0)
    process.kill(gone, 'SIGKILL')
    const answers = await waiting
    assert.ok(answers.every((body) => body.includes('"slot":"0"')))
    assert.deepEqual(await slotsThatAnswer(app.port), new Set(['0']))
    assert.equal(app.records.filter(({ event, slot }) => event === 'worker:spawned' && slot === 1).length, 2, 'all of that was in the back-off')
    await app.event('worker:ready', ({ slot }) => slot === 1, 3)
    await until('each has its own socket again', () => app.workerPids().every((pid, slot) => [...listeningInodesOf(pid, app.port)].join() === inodes[slot]))
    assert.deepEqual(await slotsThatAnswer(app.port, 100), new Set(['0', '1']))
  })

  test('a socket that was lent goes to another worker when the borrower dies too', LIMIT, async (t) => {
    const app = await App.ready(t, 'web.cjs', { ...OPTIONS, workers: 3 })
    const crash = async (slot: number, nth: number): Promise<void> => {
      process.kill(app.workerPids()[slot] ?? -1, 'SIGKILL')
      await app.event('worker:exited', (record) => record.slot === slot, nth)
    }
    for (const slot of [1, 2]) {
      await crash(slot, 1)
      await app.event('worker:ready', (record) => record.slot === slot, 2)
    }
    await crash(1, 2)
    await crash(2, 2)
    assert.deepEqual(await slotsThatAnswer(app.port), new Set(['0']))
    assert.equal(app.records.filter(({ event }) => event === 'worker:spawned').length, 5, 'all of that was in the back-off')
  })

  test('a worker that has closed its server leaves its share to the others, and gets it back when it listens again', LIMIT, async (t) => {
    const app = await App.ready(t, 'closes-in-one.cjs', { ...OPTIONS, workers: 2 })
    const closed = (await get({ port: app.port }, '/close')).body
    await app.line(new RegExp(`^CLOSED ${closed}`))
    assert.deepEqual(await slotsThatAnswer(app.port), new Set([closed === '0' ? '1' : '0']))
    process.kill(app.workerPids()[Number(closed)] ?? -1, 'SIGWINCH')
    await app.line(new RegExp(`^LISTENING ${closed}`), 2)
    await until('both answer', async () => (await slotsThatAnswer(app.port)).size === 2)
    await until('each has one socket', () => app.workerPids().every((pid) => listeningInodesOf(pid, app.port).size === 1))
  })

  test('when all workers have closed the server the port is free, and it can be listened on again', LIMIT, async (t) => {
    const app = await App.ready(t, 'closes-in-one.cjs', { ...OPTIONS, workers: 2 })
    const first = (await get({ port: app.port }, '/close')).body
    await app.line(new RegExp(`^CLOSED ${first}`))
    await get({ port: app.port }, '/close')
    await app.line(/^CLOSED /, 2)
    await until('the port is free', () => listeningInodes(app.port).size === 0)
    await assert.rejects(get({ port: app.port }), (error: RequestLost) => error.fate === 'refused')
    for (const pid of app.workerPids()) process.kill(pid, 'SIGWINCH')
    await app.line(/^LISTENING /, 4)
    await until('both answer', async () => (await slotsThatAnswer(app.port)).size === 2)
    assert.equal((await app.stop()).code, 0)
  })

  test('an app that listens in every shape is reached on all of them, also after its workers were replaced', LIMIT, async (t) => {
    const path = join(scratch(t), 'app.sock')
    const ports = { PORT_2: String(await freePort()), PORT_3: String(await freePort()), PORT_4: String(await freePort()) }
    const app = await App.ready(t, 'several.cjs', { ...OPTIONS, env: { ...ports, SOCKET_PATH: path } })
    const anyPort = Number((await app.line(/^ANY /)).msg.split(' ')[1])
    const otherPort = Number((await app.line(/^OTHER /)).msg.split(' ')[1])
    const reachAll = async (): Promise<void> => {
      assert.match((await get({ port: app.port })).body, /^first/)
      assert.match((await get({ port: Number(ports.PORT_2) })).body, /^v4/)
      if (hasIpv6) assert.match((await get({ port: Number(ports.PORT_3), host: '::1' })).body, /^v6/)
      assert.match((await get({ path })).body, /^path/)
      for (let count = 0; count < 20; count += 1) {
        assert.match((await get({ port: anyPort })).body, /^any/)
        assert.match((await get({ port: otherPort })).body, /^other/)
      }
      const socket = connect(Number(ports.PORT_4), '127.0.0.1')
      const [bytes] = (await once(socket, 'data')) as [Buffer]
      assert.equal(String(bytes), 'net\n')
    }
    await reachAll()
    for (const port of [app.port, Number(ports.PORT_2), Number(ports.PORT_4), anyPort, otherPort]) assert.equal(listeningInodes(port).size, 2)
    for (const pid of app.workerPids()) process.kill(pid, 'SIGKILL')
    await app.event('worker:ready', () => true, 4)
    await reachAll()
    assert.equal(new Set(app.output.filter((line) => /^ANY|^OTHER/.test(line))).size, 2, 'listen(0) gave the same port to every worker and to their successors')
    assert.equal((await app.stop()).code, 0)
  })

  test('one port for each family', { ...LIMIT, skip: !hasIpv6 && 'no IPv6' }, async (t) => {
    const app = await App.ready(t, 'ipv6-only.cjs', OPTIONS)
    assert.equal(listeningInodes(app.port).size, 4)
    for (let count = 0; count < 10; count += 1) {
      assert.match((await get({ port: app.port, host: '::1' })).body, /^v6/)
      assert.match((await get({ port: app.port, host: '127.0.0.1' })).body, /^v4/)
    }
  })

  test('a unix socket is shared by all workers', LIMIT, async (t) => {
    const path = join(scratch(t), 'app.sock')
    const app = await App.ready(t, 'web.cjs', { ...OPTIONS, env: { LISTEN_PATH: path } })
    for (const pid of app.workerPids()) process.kill(pid, 'SIGKILL')
    assert.equal((await get({ path })).status, 200)
  })

  test('a port that is in use is refused, also one that shares itself', LIMIT, async (t) => {
    const first = await App.ready(t, 'web.cjs', OPTIONS)
    const second = await App.start(t, 'web.cjs', { ...OPTIONS, env: { PORT: String(first.port) } })
    assert.equal((await second.ended).code, 3)
    assert.match(second.transcript, new RegExp(`port ${first.port} is already in use`))
    const plain = createServer().listen(first.port, '127.0.0.1')
    assert.equal(((await once(plain, 'error')) as [NodeJS.ErrnoException])[0].code, 'EADDRINUSE')
    const sharing = createServer()
    t.after(() => sharing.close())
    sharing.listen({ port: await freePort(), reusePort: true })
    await once(sharing, 'listening')
    const third = await App.start(t, 'web.cjs', { ...OPTIONS, env: { PORT: String((sharing.address() as { port: number }).port) } })
    assert.equal((await third.ended).code, 3)
    assert.equal((await get({ port: first.port })).status, 200)
  })

  test('two servers of one process on one address: the second gets EADDRINUSE, as under plain node', LIMIT, async (t) => {
    const app = await App.ready(t, 'twice.cjs', OPTIONS)
    await app.line(/^SECOND EADDRINUSE/, 2)
    assert.equal((await get({ port: app.port })).body, 'first')
  })

  test('a stopped supervisor stops no traffic', LIMIT, async (t) => {
    const app = await App.ready(t, 'web.cjs', { ...OPTIONS, workers: 3 })
    app.kill('SIGSTOP')
    t.after(() => app.child.exitCode ?? app.kill('SIGCONT'))
    assert.equal((await slotsThatAnswer(app.port, 200)).size, 3)
    app.kill('SIGCONT')
    assert.equal((await app.stop()).code, 0)
  })

  test('requests in flight are answered when the supervisor is killed', LIMIT, async (t) => {
    const app = await App.ready(t, 'web.cjs', { ...OPTIONS, workers: 3, env: { TALKS: '1' } })
    const slow = Promise.all(Array.from({ length: 9 }, async () => get({ port: app.port }, '/slow?ms=300')))
    await app.line(/^asked for \/slow/, 9)
    app.kill('SIGKILL')
    for (const { status } of await slow) assert.equal(status, 200)
    await until('the port is free', () => listeningInodes(app.port).size === 0)
  })
}

/** Connections that nobody has accepted yet, over all sockets of a port. @see ss(8) */
function queued(port: number): number {
  const { stdout } = spawnSync('ss', ['-ltnH', `sport = :${port}`], { encoding: 'utf8' })
  return stdout.split('\n').reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[1] ?? 0), 0)
}
