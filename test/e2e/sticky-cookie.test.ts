/** Clients that are known by a cookie: of ours, or of the app. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { App, freePort } from '../harness/app.ts'
import { Connection, type Response } from '../harness/http.ts'
import { Program } from '../harness/program.ts'
import { seen, visit, type Seen, type Target } from '../harness/sticky.ts'

/** A browser: keeps its cookies, and opens a connection for each request. */
class Browser {
  readonly cookies = new Map<string, string>()
  readonly #target: Target

  constructor(target: Target) {
    this.#target = target
  }

  async get(path: string, more: Readonly<Record<string, string>> = {}): Promise<Seen> {
    const connection = await Connection.open(this.#target)
    try {
      return seen(this.#keep(await connection.request(path, { headers: { connection: 'close', ...this.header, ...more } })))
    } finally {
      connection.close()
    }
  }

  get header(): Readonly<Record<string, string>> {
    return this.cookies.size === 0 ? {} : { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
  }

  #keep(response: Response): Response {
    // The client of the harness joins nothing: of fields with one name the last is left.
    const { 'set-cookie': last = '' } = response.headers
    this.take(last)
    return response
  }

  take(line: string): void {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    if (name !== undefined && value !== undefined) this.cookies.set(name, value)
  }
}

/** Logs in by hand: two cookies come at once. */
async function login(target: Target): Promise<Browser> {
  const browser = new Browser(target)
  const response = await fetch(`http://127.0.0.1:${'port' in target ? target.port : 0}/login`, { headers: { connection: 'close' } })
  await response.text()
  for (const line of response.headers.getSetCookie()) browser.take(line)
  return browser
}

const many = async <T>(count: number, make: (index: number) => Promise<T>): Promise<readonly T[]> => Promise.all(Array.from({ length: count }, async (_, index) => make(index)))

for (const sticky of ['cookie', 'cookie:sid']) {
  test(`${sticky}: sessions in memory stay right over four workers, a connection for each request`, async (t) => {
    const app = await App.ready(t, 'sticky.cjs', { workers: 4, options: ['--sticky', sticky] })
    const browsers = await many(50, async () => login({ port: app.port }))
    const slots = new Set<string>()
    for (let count = 1; count <= 4; count += 1) {
      for (const answer of await Promise.all(browsers.map(async (browser) => browser.get('/count')))) {
        assert.equal(answer.count, count)
        slots.add(answer.slot)
      }
    }
    assert.ok(slots.size > 1)
    const [first] = browsers
    assert.deepEqual([...(first?.cookies.keys() ?? [])].sort(), ['everycore', 'sid'])
    assert.match(first?.cookies.get('everycore') ?? '', /^[\w-]{16}\.[\w-]{22}$/)
  })
}

test('cookie: when workers come, the sessions of clients that need not move go on', async (t) => {
  const port = await freePort()
  const program = Program.start(
    t,
    `
    const supervisor = await createSupervisor({ script: 'sticky.cjs', workers: 3, port: ${port}, sticky: 'cookie' })
    await supervisor.start()
    report('started', true)
    process.once('SIGUSR2', () => supervisor.scale(4).then(() => report('scaled', true)))
    process.once('SIGTERM', () => supervisor.stop())
  `,
    { PORT: String(port) },
  )
  await program.report('started')
  const browsers = await many(40, async () => login({ port }))
  program.child.kill('SIGUSR2')
  // Meanwhile too: a worker that is not ready yet has no clients.
  let scaled = false
  const counts = browsers.map(() => 0)
  const lanes = browsers.map(async (browser, index) => {
    for (;;) {
      const isLast = scaled
      const { count, slot } = await browser.get('/count')
      if (slot === '3') {
        assert.equal(count, null)
        return slot
      }
      counts[index] = (counts[index] ?? 0) + 1
      assert.equal(count, counts[index])
      if (isLast) return slot
    }
  })
  await Promise.race([program.report('scaled'), Promise.all(lanes)])
  scaled = true
  const slots = await Promise.all(lanes)
  const moved = slots.filter((slot) => slot === '3').length
  assert.ok(moved > 0 && moved < 25, `${moved} of 40 moved`)
  program.child.kill('SIGTERM')
  assert.equal(await program.ended, 0)
})

test('cookie: in a reload whoever logs in at the new worker stays logged in', async (t) => {
  const app = await App.ready(t, 'sticky.cjs', { workers: 2, options: ['--sticky', 'cookie'] })
  const old = new Set(app.workerPids())
  app.kill('SIGUSR2')
  let over = false
  const lanes = many(6, async () => {
    for (let done = false; !done; ) {
      done = over
      const browser = await login({ port: app.port })
      const pids = new Set<number>()
      for (let count = 1; count <= 3; count += 1) {
        const answer = await browser.get('/count')
        pids.add(answer.pid)
        if (answer.count === null) assert.ok([...pids].some((pid) => !old.has(pid)), 'only who began at an old worker loses the session')
        else assert.ok(answer.count === count || pids.size > 1, `${answer.count} instead of ${count}`)
      }
      assert.ok(pids.size <= 2)
    }
  })
  await Promise.race([app.event('reload:finished'), lanes])
  over = true
  await lanes
})

test('cookie: what nobody has signed is worth nothing, and a new one is given', async (t) => {
  const app = await App.ready(t, 'sticky.cjs', { workers: 4, options: ['--sticky', 'cookie'] })
  const { cookies } = await login({ port: app.port })
  const good = cookies.get('everycore') ?? ''
  const { slot } = await visit({ port: app.port }, { cookie: `everycore=${good}` })
  const forged = ['', 'x', good.slice(1), `${good}x`, `A${good.slice(1)}`.replace(/^AA/, 'BA'), `${good.slice(0, 17)}AAAAAAAAAAAAAAAAAAAAAA`, 'x'.repeat(4000)].filter((value) => value !== good)
  const slots = new Set<string>()
  const held = await many(24, async (index) => {
    const connection = await Connection.open({ port: app.port })
    t.after(() => connection.close())
    const { headers, body, status } = await connection.request('/', { headers: { cookie: `everycore=${forged[index % forged.length]}` } })
    assert.match(headers['set-cookie'] ?? '', /^everycore=[\w-]{16}\.[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/)
    slots.add(seen({ status, body }).slot)
    return connection
  })
  assert.equal(held.length, 24)
  assert.equal(slots.size, 4)
  const again = await Connection.open({ port: app.port })
  const answer = await again.request('/', { headers: { cookie: `a=b; everycore=${good}` } })
  again.close()
  assert.equal(answer.headers['set-cookie'], undefined)
  assert.equal(seen(answer).slot, slot)
})

test('an HTTPS app with --sticky cookie is told once that its clients are known by their address', async (t) => {
  const app = await App.ready(t, 'sticky.cjs', { workers: 3, options: ['--sticky', 'cookie'], env: { TLS: '1' } })
  const told = app.records.filter(({ event }) => event === 'sticky:unreadable')
  assert.equal(told.length, 1)
  assert.match(told[0]?.msg ?? '', /^--sticky cookie cannot read the requests of https servers/)
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
})
