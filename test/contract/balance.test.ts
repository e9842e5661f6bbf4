/**
 * What holds for every way to spread connections, whoever accepts and whoever decides: each request is answered
 * while workers come, go and crash, on every kind of socket, and in the end the port is free.
 */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { freePort } from '../harness/app.ts'
import { Connection, get, RequestLost } from '../harness/http.ts'
import { Program } from '../harness/program.ts'
import { hasReusePort } from '../harness/reuse-port.ts'

/** Options of the library, as source. */
const WAYS = {
  'least-busy': `balance: 'least-busy'`,
  shared: `balance: 'shared'`,
  'round-robin': `balance: 'round-robin'`,
  ...(hasReusePort ? { reuseport: `balance: 'reuseport'` } : {}),
  'a function': `balance: (loads) => loads.at(-1)?.slot`,
  'sticky by address': `sticky: 'ip'`,
  'sticky by address, behind a proxy': `sticky: 'ip', trustedProxies: ['127.0.0.1', 'unix']`,
  'sticky by cookie': `sticky: 'cookie'`,
  'sticky by header': `sticky: 'header:x-client'`,
  'sticky by a function': `sticky: ({ headers }) => headers['x-client']`,
}

/** One of each way to accept: workers from one socket, each from its own, the primary, and after a look at the first bytes. */
const ACCEPTING = ['shared', 'round-robin', 'reuseport', 'sticky by address, behind a proxy', 'sticky by cookie']

const CLIENTS = 6

/** Some thousand requests a second would only keep the workers from coming up. */
const PAUSE_MS = 2

/** Clients that hardly pause until they are told to end: half of them with one connection, half with one for each request. */
class Load {
  answered = 0
  #over = false
  readonly #done: Promise<unknown>

  constructor(port: number) {
    this.#done = Promise.all(Array.from({ length: CLIENTS }, async (_, client) => (client % 2 === 0 ? this.#keeping(port, client) : this.#fresh(port, client))))
  }

  /** Throws when a request was lost. */
  async end(): Promise<void> {
    this.#over = true
    await this.#done
    assert.ok(this.answered > 0)
  }

  async #keeping(port: number, client: number): Promise<void> {
    let connection: Connection | undefined
    while (!this.#over) {
      connection ??= await Connection.open({ port })
      const body = 'x'.repeat(client * 100)
      const response = await connection.request('/echo', { method: 'POST', headers: headersOf(client), body })
      assert.equal((JSON.parse(response.body) as { readonly body: string }).body, body)
      this.answered += 1
      await setTimeout(PAUSE_MS)
      if (response.headers['connection'] !== 'close') continue
      connection.close()
      connection = undefined
    }
    connection?.close()
  }

  async #fresh(port: number, client: number): Promise<void> {
    while (!this.#over) {
      assert.equal((await get({ port }, '/', headersOf(client))).status, 200)
      this.answered += 1
      await setTimeout(PAUSE_MS)
    }
  }
}

function headersOf(client: number): Readonly<Record<string, string>> {
  return { 'x-client': `client ${client}`, 'x-forwarded-for': `10.0.0.${client}`, cookie: `sid=${client}` }
}

for (const [name, options] of Object.entries(WAYS)) {
  test(`${name}: each request is answered while workers come, go and crash`, async (t) => {
    const port = await freePort()
    const program = Program.start(
      t,
      `
      import { createInterface } from 'node:readline'
      const supervisor = await createSupervisor({ script: 'web.cjs', workers: 2, port: ${port}, ${options} })
      await supervisor.start()
      report('started', true)
      for await (const line of createInterface({ input: process.stdin })) {
        const [order, value] = line.split(' ')
        await supervisor[order](...(value ? [Number(value)] : []))
        report('done', order)
      }
    `,
    )
    let orders = 0
    const order = async (text: string): Promise<void> => {
      program.say(text)
      orders += 1
      await program.report('done', orders)
    }
    await program.report('started')
    const load = new Load(port)
    await order('scale 3')
    await order('scale 2')
    await order('reload')
    await load.end()

    await assert.rejects(get({ port }, '/exit?code=7', headersOf(1)), RequestLost)
    const answers = await Promise.all(Array.from({ length: 20 }, async (_, client) => get({ port }, '/', headersOf(client))))
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])

    const inFlight = Promise.all(Array.from({ length: CLIENTS }, async (_, client) => get({ port }, '/slow?ms=300', headersOf(client))))
    // Sent after those, and answered before them.
    await get({ port }, '/slow?ms=100', headersOf(0))
    await order('stop')
    assert.deepEqual((await inFlight).map(({ status }) => status), Array.from({ length: CLIENTS }, () => 200))
    program.say()
    assert.equal(await program.ended, 0, program.stderr)
    const next = createServer().listen(port)
    await once(next, 'listening')
    next.close()
  })

  if (!ACCEPTING.includes(name)) continue
  test(`${name}: unix sockets, IPv4, IPv6, and any port`, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
    t.after(() => rmSync(directory, { recursive: true, force: true }))
    const path = join(directory, 'app.sock')
    const ports = [await freePort(), await freePort()]
    const program = Program.start(
      t,
      `
      const supervisor = await createSupervisor({ script: 'listens.cjs', workers: 2, env: { LISTEN: ${JSON.stringify(JSON.stringify([{ path }, { port: ports[0], host: '127.0.0.1' }, { port: ports[1], host: '::1', ipv6Only: true }, { port: 0, host: '127.0.0.1' }]))} }, ${options} })
      await supervisor.start()
      report('started', supervisor.addresses)
      process.stdin.resume().once('end', () => supervisor.stop())
    `,
    )
    const addresses = (await program.report('started')) as readonly { readonly address: string; readonly port: number | null }[]
    assert.equal(addresses.length, 4, JSON.stringify(addresses))
    const anyPort = addresses.find((place) => place.port !== null && !ports.includes(place.port))?.port ?? 0
    for (const target of [{ path }, { port: ports[0] ?? 0 }, { port: ports[1] ?? 0, host: '::1' }, { port: anyPort }]) {
      const answers = await Promise.all(Array.from({ length: 6 }, async (_, client) => get(target, '/', headersOf(client))))
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200], JSON.stringify(target))
    }
    program.say()
    assert.equal(await program.ended, 0, program.stderr)
  })
}
