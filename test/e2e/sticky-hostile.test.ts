/** Sticky sessions under clients that mean no good, and processes that die or stop at the wrong moment. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { WINDOW_MEMORY_MS } from '../../src/protocol/window.ts'
import { App } from '../harness/app.ts'
import { Connection, get, RequestLost } from '../harness/http.ts'
import { isAlive } from '../harness/processes.ts'
import { client, head, slotsOf, visit, Wire } from '../harness/sticky.ts'
import { until } from '../harness/until.ts'

const HEADER = ['--sticky', 'header:x-client']
const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `name-${index}`)
const many = async <T>(count: number, make: (index: number) => Promise<T>): Promise<readonly T[]> => Promise.all(Array.from({ length: count }, async (_, index) => make(index)))

function rssOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096
}

test('two thousand clients that send half a head delay nobody, and are served when they send the rest', async (t) => {
  // The slow ones go where there is room, and their number must not make the others' worker too busy for them.
  const app = await App.ready(t, 'sticky.cjs', { workers: 2, options: [...HEADER, '--sticky-factor', '100'] })
  const slots = await slotsOf({ port: app.port }, names(8))
  const before = app.workerPids().map(rssOf)
  const slow: Wire[] = []
  for (let count = 0; count < 20; count += 1) {
    slow.push(...(await many(100, async () => (await Wire.open(t, { port: app.port })).write('GET /status?code=204 HTTP/1.1\r\nhost: test\r\nx-client: slow'))))
  }
  const began = performance.now()
  assert.deepEqual(await slotsOf({ port: app.port }, names(8)), slots)
  assert.ok(performance.now() - began < 2000)
  for (const [index, pid] of app.workerPids().entries()) assert.ok(rssOf(pid) - (before[index] ?? 0) < 96 * 1024 * 1024, `${rssOf(pid) - (before[index] ?? 0)} bytes more`)
  for (const wire of slow) wire.write('\r\n\r\n')
  for (const wire of slow) await wire.until(/^HTTP\/1.1 204 /)
})

const PROBES: Readonly<Record<string, string>> = {
  'a head of 40 kB': head('GET /status?code=204', 'x', [`x-large: ${'y'.repeat(40_000)}`]),
  'a TLS hello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
  'binary garbage': Array.from({ length: 2000 }, (_, index) => String.fromCharCode((index * 7919) % 256)).join(''),
  nothing: '',
  'empty lines alone': '\r\n'.repeat(5000),
  'empty lines, and a request': `${'\r\n'.repeat(5000)}${head('GET /status?code=204', 'x', ['connection: close'])}`,
  'line ends without a carriage return': 'GET /status?code=204 HTTP/1.1\nhost: test\n\n',
  'a request without a Host': 'GET / HTTP/1.1\r\nx-client: x\r\n\r\n',
  'a PROXY header that nobody asked for': `PROXY TCP4 203.0.113.1 192.0.2.1 1 2\r\n${head('GET /status?code=204', 'x')}`,
  'two lengths': head('POST /echo', 'x', ['content-length: 1', 'content-length: 2']),
  'half a head': 'GET /status?code=204 HTTP/1.1\r\nhost: te',
  'a tab in the path': head('GET /a\tb', 'x', ['connection: close']),
}

test('whatever comes that is no request has the same outcome as without --sticky', async (t) => {
  const [plain, sticky] = await Promise.all([App.ready(t, 'sticky.cjs', { workers: 2 }), App.ready(t, 'sticky.cjs', { workers: 2, options: HEADER })])
  const outcome = async (port: number, bytes: string): Promise<string> => {
    const wire = await Wire.open(t, { port })
    wire.write(bytes).socket.end()
    return (await wire.all()).replace(/Date: .*\r\n/, '').replace(/x-slot: \d\r\n/, '').replace(/"slot".*/s, '')
  }
  for (const [what, bytes] of Object.entries(PROBES)) {
    const expected = await outcome(plain.port, bytes)
    for (const result of await many(4, async () => outcome(sticky.port, bytes))) assert.equal(result, expected, what)
  }
  assert.deepEqual(sticky.records.filter(({ event }) => event === 'worker:exited' || event === 'worker:violated'), [])
})

/** Requests of many clients without pause, half of them with a connection for several clients. Every one has a fate. */
function load(port: number, over: () => boolean): Promise<Readonly<Record<string, number>>> {
  const fates: Record<string, number> = { ok: 0 }
  const note = (fate: string): void => {
    fates[fate] = (fates[fate] ?? 0) + 1
  }
  const lane = async (index: number): Promise<void> => {
    let kept: Connection | undefined
    for (let count = 0; !over(); count += 1) {
      const headers = client(`name-${(index + count) % 30}`)
      try {
        if (index % 2 === 0) note((await get({ port }, '/slow?ms=1', headers)).status === 200 ? 'ok' : 'bad gateway')
        else {
          kept ??= await Connection.open({ port })
          const answer = await kept.request('/slow?ms=1', { headers })
          note(answer.status === 200 ? 'ok' : 'bad gateway')
          if (answer.headers['connection'] !== 'close') continue
        }
      } catch (error) {
        note(error instanceof RequestLost ? error.fate : String(error))
      }
      kept?.close()
      kept = undefined
    }
    kept?.close()
  }
  return many(12, lane).then(() => fates)
}

test('a worker that is killed in the middle of it all: every request is answered, or its connection ends', async (t) => {
  const app = await App.ready(t, 'sticky.cjs', { workers: 3, options: HEADER })
  let over = false
  const fates = load(app.port, () => over)
  for (let nth = 1; nth <= 3; nth += 1) {
    process.kill(app.workerPids()[nth % 3] ?? -1, 'SIGKILL')
    await app.event('worker:ready', ({ slot }) => slot === nth % 3, 2)
  }
  over = true
  const { ok = 0, ...lost } = await fates
  assert.ok(ok > 50, JSON.stringify({ ok, ...lost }))
})

for (const sticky of ['header:x-client', 'cookie']) {
  test(`${sticky}: a reload under clients that never pause loses no request`, async (t) => {
    const app = await App.ready(t, 'sticky.cjs', { workers: 2, options: ['--sticky', sticky] })
    let over = false
    const fates = load(app.port, () => over)
    app.kill('SIGUSR2')
    await app.event('reload:finished')
    over = true
    const counted = await fates
    assert.deepEqual(Object.keys(counted), ['ok'], JSON.stringify(counted))
    assert.ok((counted['ok'] ?? 0) > 50)
  })
}

test('a stopped supervisor keeps one connection of each worker waiting; the others are served, by their own worker', async (t) => {
  const app = await App.ready(t, 'sticky.cjs', { workers: 2, options: HEADER })
  const slots = await slotsOf({ port: app.port }, names(12))
  // Where answers have just come quickly, more than one may be on their way.
  await setTimeout(WINDOW_MEMORY_MS * 2)
  app.kill('SIGSTOP')
  let answered = 0
  const visits = [...slots, ...slots].map(async ([name, slot]) => {
    const seen = await visit({ port: app.port }, client(name))
    answered += 1
    assert.equal(seen.slot, slot)
  })
  await Promise.race([until('all but one of each are answered', () => answered >= visits.length - 2), Promise.all(visits)])
  app.kill('SIGCONT')
  await Promise.all(visits)
})

test('a supervisor that is killed: every request is answered, or its connection ends; the next one cleans up', async (t) => {
  const runtime = mkdtempSync(join(tmpdir(), 'ec-'))
  t.after(() => rmSync(runtime, { recursive: true, force: true }))
  const options = { workers: 2, options: [...HEADER, '--runtime-dir', runtime] }
  const app = await App.ready(t, 'sticky.cjs', options)
  const pids = app.workerPids()
  let over = false
  const fates = load(app.port, () => over)
  await visit({ port: app.port }, client('one'))
  app.kill('SIGKILL')
  await until('no worker is left', () => pids.every((pid) => !isAlive(pid)))
  over = true
  assert.ok(((await fates)['ok'] ?? 0) > 0)
  await nextCleansUp(t, runtime, options)
})

async function nextCleansUp(t: TestContext, runtime: string, options: Parameters<typeof App.ready>[2]): Promise<void> {
  const next = await App.ready(t, 'sticky.cjs', options)
  assert.deepEqual(readdirSync(runtime).filter((name) => name.startsWith('sticky-')), [`sticky-${next.pid}`])
}
