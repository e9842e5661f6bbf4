import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { LogRing, type LogFollower, type LogQuery, type LogRecord } from '../../src/logs/ring.ts'
import { randomFrom } from './logs-random.ts'

const AT = Date.parse('2026-01-01T00:00:00.000Z')

function put(ring: LogRing, text: string, { slot = 0, stream = 'stdout', at = AT, cut = false }: { slot?: number; stream?: 'stdout' | 'stderr'; at?: number; cut?: boolean } = {}): void {
  ring.push(at, slot, 100 + slot, stream, Buffer.from(text), cut)
}

/** All that can be read now. */
function drain(follower: LogFollower): { records: LogRecord[]; texts: string[]; missed: number } {
  const records: LogRecord[] = []
  for (let lost = 0; ; ) {
    const { records: some, missed, more } = follower.read()
    records.push(...some)
    lost += missed
    if (!more) return { records, texts: records.map(({ text }) => text), missed: lost }
  }
}

function ask(ring: LogRing, query: LogQuery = {}): LogRecord[] {
  const follower = ring.follow({ n: Number.POSITIVE_INFINITY, ...query }, () => undefined)
  const { records } = drain(follower)
  follower.stop()
  return records
}

const texts = (ring: LogRing, query?: LogQuery): string[] => ask(ring, query).map(({ text }) => text)

describe('the ring of lines', () => {
  it('tells of each line when, who, where, its level and its text', () => {
    const ring = new LogRing(1e6, 77)
    put(ring, 'plain\r', { slot: 3 })
    put(ring, '{"level":40,"msg":"m"}', { slot: -1, stream: 'stderr', at: AT + 1500 })
    put(ring, 'piece', { cut: true })
    ring.pushOwn(AT, 'warn', 'one\ntwo')
    assert.deepEqual(ask(ring), [
      { at: '2026-01-01T00:00:00.000Z', slot: 3, pid: 103, stream: 'stdout', level: null, text: 'plain' },
      { at: '2026-01-01T00:00:01.500Z', slot: null, pid: 99, stream: 'stderr', level: 'warn', text: '{"level":40,"msg":"m"}' },
      { at: '2026-01-01T00:00:00.000Z', slot: 0, pid: 100, stream: 'stdout', level: null, text: 'piece', cut: true },
      ...['one', 'two'].map((text) => ({ at: '2026-01-01T00:00:00.000Z', slot: null, pid: 77, stream: 'everycore', level: 'warn', text })),
    ])
  })

  it('gives the newest that were asked for, of a worker, since a time', () => {
    const ring = new LogRing()
    for (let number = 0; number < 10; number++) put(ring, String(number), { slot: number % 2, at: AT + number })
    assert.deepEqual(texts(ring, { n: 3 }), ['7', '8', '9'])
    assert.deepEqual(texts(ring, { n: 2, worker: 0 }), ['6', '8'])
    assert.deepEqual(texts(ring, { sinceMs: AT + 8 }), ['8', '9'])
    assert.deepEqual(texts(ring, { n: 0 }), [])
    assert.deepEqual(texts(ring, { worker: 5 }), [])
  })

  it('gives those of a level and above; a line that tells none counts as info, and as error on stderr', () => {
    const ring = new LogRing()
    for (const level of [10, 20, 30, 40, 50, 60]) put(ring, `{"level":${level},"msg":"m"}`)
    put(ring, 'out')
    put(ring, 'err', { stream: 'stderr' })
    ring.pushOwn(AT, 'debug', 'own')
    const counts = (['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const).map((level) => ask(ring, { level }).length)
    assert.deepEqual(counts, [9, 8, 6, 4, 3, 1])
    assert.deepEqual(ask(ring, { level: 'error' }).map(({ level }) => level), ['error', 'fatal', null])
  })

  it('keeps within its bytes, forgets the oldest first, and has no line that is not whole', () => {
    const { int, note } = randomFrom('ring')
    const ring = new LogRing(300_000)
    const sent: string[] = []
    for (let round = 0; round < 3000; round++) {
      const text = `${round}:${'x'.repeat(int(20) === 0 ? int(65_000) : int(200))}`
      sent.push(text)
      put(ring, text)
      if (round % 100 !== 0) continue
      const kept = texts(ring)
      assert.deepEqual(kept, sent.slice(-kept.length), note)
      assert.ok(kept.reduce((sum, line) => sum + line.length + 32, 0) <= 300_000, note)
    }
    assert.ok(texts(ring).join('').length > 50_000, 'much of it is used')
  })

  it('cuts what is longer than any line, and remembers nothing when it has no room', () => {
    const ring = new LogRing(140_000)
    put(ring, 'y'.repeat(100_000))
    assert.equal(texts(ring)[0]?.length, 65_536)
    const none = new LogRing(0)
    put(none, 'x')
    none.pushOwn(AT, 'info', 'x')
    assert.deepEqual(ask(none), [])
  })
})

describe('a follower of the ring', () => {
  it('gets what comes after it, once, and is woken once for all lines of a turn', async () => {
    const ring = new LogRing()
    put(ring, 'before')
    let woken = 0
    const follower = ring.follow({}, () => woken++)
    assert.deepEqual(drain(follower).texts, [])
    for (const text of ['a', 'b', 'c']) put(ring, text)
    await turn()
    assert.equal(woken, 1)
    assert.deepEqual(drain(follower).texts, ['a', 'b', 'c'])
    put(ring, 'd')
    await turn()
    assert.equal(woken, 2)
    assert.deepEqual(drain(follower).texts, ['d'])
    follower.stop()
    put(ring, 'e')
    await turn()
    assert.equal(woken, 2)
  })

  it('may begin with lines that are there already, and gets none twice, whatever comes meanwhile', () => {
    const ring = new LogRing()
    for (let number = 0; number < 12_000; number++) put(ring, String(number))
    const follower = ring.follow({ n: 10_000 }, () => undefined)
    follower.read()
    for (let number = 12_000; number < 13_000; number++) put(ring, String(number))
    assert.deepEqual(drain(follower).texts, Array.from({ length: 11_000 }, (_, number) => String(number + 2000)))
  })

  it('that looks for lines which are forgotten meanwhile begins with the rest, and loses none of the new ones', () => {
    const ring = new LogRing(1e6)
    for (let number = 0; number < 1000; number++) put(ring, `old ${number} ${'x'.repeat(800)}`)
    const follower = ring.follow({ n: 1000 }, () => undefined)
    for (let round = 0; round < 3; round++) follower.read()
    for (let number = 0; number < 700; number++) put(ring, `new ${number} ${'x'.repeat(800)}`)
    const { texts: got, missed } = drain(follower)
    const olds = got.filter((text) => text.startsWith('old'))
    assert.ok(olds.length > 100 && olds.length < 1000)
    assert.deepEqual(olds.map((text) => Number.parseInt(text.slice(4), 10)), Array.from(olds, (_, index) => 1000 - olds.length + index))
    assert.deepEqual([got.length - olds.length, missed], [700, 0])
  })

  it('gets only what fits, and is not kept busy by what does not', async () => {
    const ring = new LogRing()
    const follower = ring.follow({ worker: 1, level: 'warn' }, () => undefined)
    put(ring, '{"level":50,"msg":"not mine"}', { slot: 0 })
    put(ring, 'too light', { slot: 1 })
    put(ring, 'heavy', { slot: 1, stream: 'stderr' })
    assert.deepEqual(drain(follower).texts, ['heavy'])
  })

  it('that is too slow is told how many lines it has missed, exactly', () => {
    const { int, note } = randomFrom('follower')
    const ring = new LogRing(140_000)
    const follower = ring.follow({}, () => undefined)
    let sent = 0
    let got = 0
    let last = -1
    for (let round = 0; round < 300; round++) {
      for (let burst = int(400); burst > 0; burst--) put(ring, `${sent++} ${'z'.repeat(int(300))}`)
      const { records, missed } = follower.read()
      got += records.length + missed
      const first = records[0]
      if (first !== undefined) assert.equal(Number.parseInt(first.text, 10), last + 1 + missed, note)
      last = Number.parseInt(records.at(-1)?.text ?? String(last + missed), 10)
    }
    const rest = drain(follower)
    assert.equal(got + rest.texts.length + rest.missed, sent, note)
    assert.ok(got > 0 && sent > 10_000)
  })

  it('reads a limited number of lines in one go', () => {
    const ring = new LogRing()
    const follower = ring.follow({}, () => undefined)
    for (let number = 0; number < 2000; number++) put(ring, 'x')
    const { records, more } = follower.read()
    assert.deepEqual([records.length, more], [500, true])
  })
})
