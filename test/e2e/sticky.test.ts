/** One client, one worker: by header, by address. By cookie: `sticky-cookie.test.ts`. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { request as httpsRequest } from 'node:https'
import { App, freePort } from '../harness/app.ts'
import { Connection } from '../harness/http.ts'
import { Program } from '../harness/program.ts'
import { client, head, seen, slotsOf, visit, Wire, type Seen } from '../harness/sticky.ts'
import { until } from '../harness/until.ts'

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `name-${index}`)

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'ec-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** From an address of the machine's own net. */
async function visitFrom(t: TestContext, port: number, localAddress: string, bytes = head('GET /', 'any', ['connection: close'])): Promise<Seen> {
  const wire = await Wire.open(t, { port, localAddress })
  const text = await wire.write(bytes).all()
  return JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as Seen
}

const addresses = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `127.0.0.${index + 2}`)

test('header: one value, one worker, on every connection, also after a crash and a reload', async (t) => {
  const runtime = scratch(t)
  const app = await App.ready(t, 'sticky.cjs', { workers: 3, options: ['--sticky', 'header:X-Client', '--runtime-dir', runtime] })
  const target = { port: app.port }
  const before = await slotsOf(target, names(24))
  assert.ok(new Set(before.values()).size > 1, 'they are spread, as the secret of the run will have it')
  for (let round = 0; round < 3; round += 1) assert.deepEqual(await slotsOf(target, names(24)), before)
  const crashed = app.workerPids()[1] ?? -1
  process.kill(crashed, 'SIGKILL')
  await app.event('worker:ready', ({ slot }) => slot === 1, 2)
  await until('it has its clients again', async () => (await visit(target, client([...before].find(([, slot]) => slot === '1')?.[0] ?? ''))).slot === '1')
  assert.deepEqual(await slotsOf(target, names(24)), before)
  const files = readdirSync(join(runtime, `sticky-${app.pid}`))
  assert.equal(files.length, 3)
  assert.ok(!files.some((name) => name.startsWith(`${crashed}-`)), 'nothing is left of the one that was killed')
  app.kill('SIGUSR2')
  await app.event('reload:finished')
  assert.deepEqual(await slotsOf(target, names(24)), before)
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
  assert.deepEqual(readdirSync(runtime).filter((name) => name.startsWith('sticky-')), [])
})

test('header: in a reload each client goes once from the old worker to the new one, and never back', async (t) => {
  const app = await App.ready(t, 'sticky.cjs', { workers: 2, options: ['--sticky', 'header:x-client'] })
  const over = new AbortController()
  const lanes = names(6).map(async (name, index) => {
    const pids: number[] = []
    let kept: Connection | undefined
    while (!over.signal.aborted) {
      if (index % 2 === 0) pids.push((await visit({ port: app.port }, client(name))).pid)
      else {
        kept ??= await Connection.open({ port: app.port })
        const { body, headers } = await kept.request('/', { headers: client(name) })
        pids.push((JSON.parse(body) as Seen).pid)
        if (headers['connection'] !== 'close') continue
        kept.close()
        kept = undefined
      }
    }
    kept?.close()
    return pids
  })
  app.kill('SIGUSR2')
  await Promise.race([app.event('reload:finished'), Promise.all(lanes)])
  over.abort()
  for (const pids of await Promise.all(lanes)) {
    const changes = pids.filter((pid, index) => index > 0 && pid !== pids[index - 1])
    assert.ok(changes.length <= 1, `${changes.length} changes in ${pids.length} requests`)
  }
})

test('header: when workers come or go, only the clients move that must', async (t) => {
  const port = await freePort()
  const program = Program.start(
    t,
    `
    const supervisor = await createSupervisor({ script: 'sticky.cjs', workers: 3, port: ${port}, sticky: 'header:x-client' })
    await supervisor.start()
    report('started', true)
    const sizes = [5, 2]
    process.on('SIGUSR2', () => supervisor.scale(sizes.shift()).then(() => report('scaled', true)))
    process.once('SIGTERM', () => supervisor.stop())
  `,
    { PORT: String(port) },
  )
  await program.report('started')
  const three = await slotsOf({ port }, names(40))
  program.child.kill('SIGUSR2')
  await program.report('scaled', 1)
  const five = await slotsOf({ port }, names(40))
  for (const [name, slot] of five) assert.ok(slot === three.get(name) || Number(slot) > 2, `${name}: ${three.get(name)} to ${slot}`)
  assert.ok([...five].some(([, slot]) => Number(slot) > 2))
  program.child.kill('SIGUSR2')
  await program.report('scaled', 2)
  const two = await slotsOf({ port }, names(40))
  for (const [name, slot] of two) assert.ok(slot === five.get(name) || Number(five.get(name)) > 1, `${name}: ${five.get(name)} to ${slot}`)
  program.child.kill('SIGTERM')
  assert.equal(await program.ended, 0)
})

test('header: a request whose first bytes bring a large body along', async (t) => {
  const app = await App.ready(t, 'sticky.cjs', { workers: 3, options: ['--sticky', 'header:x-client'] })
  const slots = await slotsOf({ port: app.port }, names(40))
  const body = 'x'.repeat(300_000)
  // So that all of it is there when they read, and many wait on their links.
  const blocked = [...new Set(slots.values())].map(async (slot) => visit({ port: app.port }, client([...slots].find(([, one]) => one === slot)?.[0] ?? ''), '/block?ms=600'))
  await Promise.all(
    [...slots].map(async ([name, slot]) => {
      const connection = await Connection.open({ port: app.port })
      const answer = seen(await connection.request('/echo', { method: 'POST', headers: { ...client(name), connection: 'close' }, body }))
      connection.close()
      assert.equal(answer.slot, slot, name)
      assert.ok(answer.body === body, `${answer.body.length} bytes came back`)
    }),
  )
  await Promise.all(blocked)
  assert.deepEqual(app.records.filter(({ event }) => event === 'worker:violated'), [])
})

test('ip: one address, one worker; many addresses, all workers; over HTTPS too', async (t) => {
  const app = await App.ready(t, 'sticky.cjs', { workers: 3, options: ['--sticky', 'ip'] })
  const known = new Map<string, string>()
  for (let round = 0; round < 2; round += 1) {
    for (const address of addresses(24)) {
      const { slot, remoteAddress } = await visitFrom(t, app.port, address)
      assert.match(remoteAddress ?? '', new RegExp(`${address}$`))
      assert.equal(slot, known.get(address) ?? slot)
      known.set(address, slot)
    }
  }
  assert.ok(new Set(known.values()).size > 1, 'they are spread, as the secret of the run will have it')
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
  const secure = await App.ready(t, 'sticky.cjs', { workers: 3, options: ['--sticky', 'ip'], env: { TLS: '1' } })
  const slots = new Map<string, Set<string>>()
  for (let count = 0; count < 24; count += 1) {
    const address = `127.0.0.${(count % 12) + 2}`
    const { slot } = await visitHttps(secure.port, address)
    slots.set(address, (slots.get(address) ?? new Set()).add(slot))
  }
  assert.ok([...slots.values()].every(({ size }) => size === 1))
  assert.ok(new Set([...slots.values()].flatMap((one) => [...one])).size > 1)
  assert.deepEqual(secure.records.filter(({ event }) => event === 'sticky:unreadable'), [])
})

test('ip: connections that wait for their next request stay with their worker', async (t) => {
  const app = await App.ready(t, 'sticky.cjs', { workers: 2, options: ['--sticky', 'ip'], env: { KEEP_ALIVE_MS: '60000' } })
  const held = await Promise.all(
    Array.from({ length: 24 }, async () => {
      const connection = await Connection.open({ port: app.port })
      t.after(() => connection.close())
      return { connection, slot: (JSON.parse((await connection.request('/')).body) as Seen).slot }
    }),
  )
  assert.equal(new Set(held.map(({ slot }) => slot)).size, 1)
  // Longer than a round in which connections that have gathered are given away.
  await visit({ port: app.port }, {}, '/slow?ms=600')
  for (const { connection, slot } of held) assert.equal((JSON.parse((await connection.request('/')).body) as Seen).slot, slot)
})

test('ip: X-Forwarded-For counts from trusted proxies alone, request by request', async (t) => {
  const app = await App.ready(t, 'sticky.cjs', { workers: 3, options: ['--sticky', 'ip', '--trusted-proxies', '127.0.0.9,10.0.0.0/8'] })
  const from = async (localAddress: string, forwarded: string): Promise<string> => (await visitFrom(t, app.port, localAddress, head('GET /', 'any', ['connection: close', `x-forwarded-for: ${forwarded}`]))).slot
  const clients = Array.from({ length: 16 }, (_, index) => `203.0.113.${index}`)
  const slots = new Map<string, string>()
  for (const address of clients) {
    slots.set(address, await from('127.0.0.9', address))
    assert.equal(await from('127.0.0.9', `198.51.100.1, ${address}:4711, 10.1.2.3`), slots.get(address))
  }
  assert.ok(new Set(slots.values()).size > 1, 'they are spread, as the secret of the run will have it')
  const own = (await visitFrom(t, app.port, '127.0.0.2')).slot
  for (const address of clients) assert.equal(await from('127.0.0.2', address), own, 'nobody else is believed')
  const proxy = await Wire.open(t, { port: app.port, localAddress: '127.0.0.9' })
  for (const [address, slot] of slots) {
    proxy.text = ''
    await proxy.write(head('GET /', 'any', [`x-forwarded-for: ${address}`])).until(new RegExp(`"slot":"${slot}".*127\\.0\\.0\\.9.*\\}`, 's'))
  }
})

test('unix sockets: by header, and by address where the proxy is trusted', async (t) => {
  const path = join(scratch(t), 'app.sock')
  await App.ready(t, 'sticky.cjs', { workers: 3, options: ['--sticky', 'ip', '--trusted-proxies', 'unix'], env: { LISTEN_PATH: path } })
  const slots = new Map<string, string>()
  for (let count = 0; count < 24; count += 1) {
    const address = `203.0.113.${count % 12}`
    const { slot } = await visit({ path }, { 'x-forwarded-for': address })
    assert.equal(slot, slots.get(address) ?? slot)
    slots.set(address, slot)
  }
  assert.ok(new Set(slots.values()).size > 1, 'they are spread, as the secret of the run will have it')
})

test('a trusted proxy may say for whom it speaks in a PROXY header, of both versions, in any pieces', async (t) => {
  const app = await App.ready(t, 'sticky-tcp.cjs', { workers: 3, options: ['--sticky', 'ip', '--trusted-proxies', '127.0.0.1'] })
  const ask = async (bytes: Buffer, cut: number): Promise<string> => {
    const wire = await Wire.open(t, { port: app.port })
    wire.socket.write(bytes.subarray(0, cut))
    await new Promise((resolve) => setImmediate(resolve))
    wire.socket.write(bytes.subarray(cut))
    const [, slot = '', read = ''] = await wire.until(/^slot (\d) ([0-9a-f]*)\n$/)
    assert.equal(read, bytes.toString('hex'), 'the app reads all of it')
    return slot
  }
  const known = new Set<string>()
  for (let last = 1; last <= 12; last += 1) {
    const v1 = Buffer.from(`PROXY TCP4 203.0.113.${last} 192.0.2.1 5000${last} 80\r\nhello\n`)
    const v2 = Buffer.concat([Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'), Buffer.from([0x21, 0x11, 0, 12, 203, 0, 113, last, 192, 0, 2, 1, 0xc3, 0x50, 0, 80]), Buffer.from('hello\n')])
    const slot = await ask(v1, last * 3)
    assert.equal(await ask(v2, last * 2), slot)
    assert.equal(await ask(v1, 0), slot)
    known.add(slot)
  }
  assert.ok(known.size > 1, 'they are spread, as the secret of the run will have it')
})

async function visitHttps(port: number, localAddress: string): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest({ port, host: '127.0.0.1', localAddress, rejectUnauthorized: false, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      response.on('end', () => resolve(JSON.parse(body) as Seen))
    })
    request.on('error', reject).end()
  })
}
