import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it, type TestContext } from 'node:test'
import { PassThrough } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { logDocument, openLogStream } from '../../src/control/log-stream.ts'
import { readLogRequest } from '../../src/control/log-request.ts'
import { LIMITS } from '../../src/control/limits.ts'
import type { ControlPorts } from '../../src/control/ports.ts'
import { LogRing, type LogQuery } from '../../src/logs/ring.ts'
import type { ControlEvent, StatusReport } from '../../src/protocol/control.ts'

const PID = 4711

function ports(ring: LogRing): Pick<ControlPorts, 'followLogs' | 'status' | 'subscribe'> & { tell: (type: string, more?: object) => void; listeners: () => number } {
  const listeners = new Set<(event: ControlEvent) => void>()
  return {
    followLogs: (query, onMore) => ring.follow(query, onMore),
    status: () => ({ name: 'shop', pid: PID, size: 2 }) as StatusReport,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    tell: (type, more = {}) => listeners.forEach((listener) => listener({ type, at: '', ...more })),
    listeners: () => listeners.size,
  }
}

function put(ring: LogRing, text: string): void {
  ring.push(0, 0, 1, 'stdout', Buffer.from(text), false)
}

/** Both ends of a connection; what it reads, as `name text`. */
class Client extends PassThrough {
  readonly events: string[] = []
  status = 0
  id = ''
  #rest = ''

  writeHead(status: number): void {
    this.status = status
  }

  /** Reads what comes until an event fits, or to the end. */
  async until(fits: (event: string) => boolean): Promise<void> {
    while (!this.events.some(fits) && !this.readableEnded) {
      const chunk = this.read() as Buffer | null
      if (chunk !== null) this.#take(String(chunk))
      // oxlint-disable-next-line no-await-in-loop
      else await turn()
    }
  }

  #take(text: string): void {
    const blocks = (this.#rest + text).split('\n\n')
    this.#rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const name = /^event: (.+)$/m.exec(block)?.[1]
      if (name === undefined) continue
      const data = JSON.parse(/^data: (.+)$/m.exec(block)?.[1] ?? '') as Record<string, unknown>
      this.id = /^id: (.+)$/m.exec(block)?.[1] ?? this.id
      this.events.push([name, data['text'] ?? data['lines'] ?? data['reason'] ?? data['pid']].join(' ').trim())
    }
  }
}

const read = (text: string, isStream = true) => readLogRequest(new URLSearchParams(text), isStream, PID)

describe('what is asked of /v1/logs', () => {
  const none = { worker: undefined, level: undefined, sinceMs: undefined }

  for (const [text, query] of [
    ['', { ...none, n: 100 }],
    ['n=5&worker=2&level=warn&since=2026-01-01T00:00:00Z', { n: 5, worker: 2, level: 'warn', sinceMs: Date.parse('2026-01-01T00:00:00Z') }],
    ['after=4711-30', { ...none, from: 30 }],
    ['after=4710-30', { ...none, n: 100_000 }],
  ] as const) {
    it(`"${text}" is understood`, () => assert.deepEqual(read(text), { ok: true, isStream: true, isFollowed: false, query }))
  }

  for (const text of ['x=1', '__proto__=1', 'n=-1', 'n=1e3', 'n=100001', `n=${'9'.repeat(100_000)}`, 'worker=', 'worker=0x1', 'level=__proto__', 'level=all', 'since=yesterday', `since=${'2'.repeat(100_000)}`, 'after=1', 'follow=maybe']) {
    it(`"${text.slice(0, 40)}" is refused`, () => {
      const asked = read(text)
      assert.equal(asked.ok, false)
      if (!asked.ok) assert.equal(asked.answer.status, 400)
    })
  }

  it('is a document of at most a thousand lines where no stream is wanted, and a stream where follow is', () => {
    assert.equal(read('n=1001', false).ok, false)
    const [document, stream] = [read('n=1000', false), read('follow=1', false)]
    assert.deepEqual([document.ok && document.isStream, stream.ok && stream.isStream && stream.isFollowed], [false, true])
  })
})

function open(t: TestContext, ring: LogRing, query: LogQuery, isFollowed = true): { readonly client: Client; readonly told: ReturnType<typeof ports>; readonly ends: () => number } {
  const [told, client] = [ports(ring), new Client()]
  let ends = 0
  openLogStream(told, { query, isFollowed }, client, () => (ends += 1))
  t.after(() => client.destroy())
  return { client, told, ends: () => ends }
}

describe('the logs for a client', () => {
  it('are a document', async () => {
    const ring = new LogRing()
    for (const text of ['a', 'b', 'c']) put(ring, text)
    const { schemaVersion, name, pid, records } = await logDocument(ports(ring), { n: 2 })
    assert.deepEqual([schemaVersion, name, pid, records.map(({ text }) => text)], [1, 'shop', PID, ['b', 'c']])
  })

  it('end with what is there, or go on with what comes until the app has ended', async (t) => {
    const ring = new LogRing()
    for (const text of ['a', 'b']) put(ring, text)
    const single = open(t, ring, { n: 1 }, false)
    await single.client.until(() => false)
    assert.deepEqual(single.client.events, ['begin 4711', 'log b', 'live', 'end complete'])
    const { client, told, ends } = open(t, ring, { n: 1 })
    await client.until((event) => event === 'live')
    put(ring, 'c')
    await client.until((event) => event === 'log c')
    told.tell('upgrade:finished', { pid: 99 })
    await client.until((event) => event === 'upgraded 99')
    put(ring, 'last words')
    told.tell('primary:stopped')
    await client.until(() => false)
    assert.deepEqual(client.events, ['begin 4711', 'log b', 'live', 'log c', 'upgraded 99', 'log last words', 'end stopped'])
    assert.deepEqual([ends(), told.listeners()], [1, 0])
  })

  it('of a slow client wait nowhere: it is told how many it has missed, and none is counted twice', async (t) => {
    const ring = new LogRing(1e6)
    const { client } = open(t, ring, {})
    await client.until((event) => event === 'live')
    let sent = 0
    for (let round = 0; round < 50; round++) {
      for (let line = 0; line < 1000; line++) put(ring, `${sent++} ${'x'.repeat(200)}`)
      await turn()
    }
    put(ring, 'the last')
    await client.until((event) => event === 'log the last')
    const missed = client.events.filter((event) => event.startsWith('missed')).reduce((sum, event) => sum + Number(event.slice(7)), 0)
    const got = client.events.filter((event) => /^log \d/.test(event)).map((event) => Number.parseInt(event.slice(4), 10))
    assert.ok(missed > 10_000)
    assert.equal(got.length + missed, sent)
    assert.deepEqual(got, got.toSorted((a, b) => a - b))
  })

  it('of a client that was cut off go on where it was', async (t) => {
    const ring = new LogRing()
    const { client } = open(t, ring, {})
    await client.until((event) => event === 'live')
    put(ring, 'a')
    await client.until((event) => event === 'log a')
    put(ring, 'b')
    const asked = readLogRequest(new URLSearchParams({ after: client.id }), true, PID)
    assert.ok(asked.ok)
    const again = open(t, ring, asked.query, false)
    await again.client.until(() => false)
    assert.deepEqual(again.client.events.filter((event) => event.startsWith('log')), ['log b'])
  })

  it('of a client that reads nothing for a minute although there are lines end, and nothing is left of it', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
    const ring = new LogRing()
    const { client, told, ends } = open(t, ring, {})
    for (let line = 0; line < 1000; line++) put(ring, 'x'.repeat(100))
    while (!client.writableNeedDrain) await turn()
    await turn()
    t.mock.timers.tick(LIMITS.logStallMs)
    await once(client, 'close')
    assert.deepEqual([ends(), told.listeners()], [1, 0])
  })

  it('of a client that goes are followed no more', async (t) => {
    const ring = new LogRing()
    const { client, told, ends } = open(t, ring, {})
    await client.until((event) => event === 'live')
    client.destroy()
    await once(client, 'close')
    put(ring, 'a')
    await turn()
    assert.deepEqual([ends(), told.listeners()], [1, 0])
  })
})
