import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Outlet, WriteFailure } from '../../src/logs/outlet.ts'
import { Sink, type SinkEvent, type SinkOptions } from '../../src/logs/sink.ts'
import { randomFrom } from './logs-random.ts'

/** An outlet whose writes end when and as the test says. */
function bench(options: Partial<SinkOptions> = {}, copies = false) {
  const written: string[] = []
  const events: SinkEvent[] = []
  const clock = { now: 1000 }
  let stalled = false
  let failure: WriteFailure | undefined
  let pending: (() => void) | undefined
  let close: ((code: string) => void) | undefined
  const outlet: Outlet = {
    copies,
    onClosed: (listener) => void (close = listener),
    write(bytes, done) {
      const finish = (): void => {
        pending = undefined
        written.push(bytes.subarray(0, failure === undefined ? undefined : (failure.written ?? 0)).toString())
        done(failure)
      }
      assert.equal(pending, undefined, 'one write at a time')
      if (stalled) pending = finish
      else finish()
    },
  }
  const sink = new Sink({ name: 'stdout', outlet, now: () => clock.now, onEvent: (event) => events.push(event), ...options })
  return {
    sink,
    clock,
    events,
    writes: written,
    text: () => written.join(''),
    stall: () => void (stalled = true),
    drain: () => {
      stalled = false
      pending?.()
    },
    fail: (code: string | undefined, bytes?: number) => void (failure = code === undefined ? undefined : { code, written: bytes }),
    close: (code: string) => close?.(code),
  }
}

const push = (sink: Sink, slot: number, ...lines: string[]): void => {
  const source = sink.source(slot)
  for (const line of lines) sink.push(source, line, true)
}

describe('a sink', () => {
  it('writes the lines of one turn at once, in their order', async () => {
    const { sink, writes } = bench()
    push(sink, 0, 'a', 'b')
    push(sink, 1, 'c')
    assert.deepEqual(writes, [])
    await turn()
    assert.deepEqual(writes, ['a\nb\nc\n'])
    assert.deepEqual(sink.stats(), { state: 'open', queuedBytes: 0, writtenLines: 3, droppedLines: 0, droppedBySlot: {} })
  })

  it('takes strings and bytes of any length', async () => {
    const { sink, text } = bench()
    const long = '€'.repeat(100_000)
    sink.push(sink.source(0), Buffer.from('bytes'), true)
    sink.push(sink.source(0), long, true)
    sink.push(sink.source(0), '', true)
    await sink.flush(1000)
    assert.equal(text(), `bytes\n${long}\n\n`)
  })

  it('lets pieces of one line follow each other, and puts a newline before anybody else', async () => {
    const { sink, text } = bench()
    const [one, other] = [sink.source(0), sink.source(0)]
    sink.push(one, 'a', false)
    sink.push(one, 'b', false)
    sink.push(one, 'c', true)
    sink.push(one, 'd', false)
    sink.push(other, 'e', true)
    sink.push(one, 'f', false)
    await sink.flush(1000)
    assert.equal(text(), 'abc\nd\ne\nf')
  })
})

describe('a stalled reader', () => {
  it('costs bounded memory; every line is written or counted, and the loss is told once when it drains', async () => {
    const { sink, stall, drain, text, events } = bench({ maxBufferedBytes: 1_000_000 })
    const source = sink.source(3)
    stall()
    for (let line = 0; line < 100_000; line++) {
      sink.push(source, `line ${line} ${'x'.repeat(90)}`, true)
      if (line % 1000 === 0) await turn()
    }
    const { queuedBytes, droppedLines } = sink.stats()
    assert.ok(queuedBytes <= 500_000 && queuedBytes > 400_000, String(queuedBytes))
    assert.deepEqual(events, [])
    drain()
    await sink.flush(1000)
    assert.equal(text().split('\n').length - 1 + droppedLines, 100_000)
    assert.deepEqual(sink.stats(), {
      state: 'open',
      queuedBytes: 0,
      writtenLines: 100_000 - droppedLines,
      droppedLines,
      droppedBySlot: { 3: droppedLines },
    })
    assert.deepEqual(events, [{ name: 'drained', sink: 'stdout', droppedLines }])
  })

  it('is told of in intervals when a flood never lets the buffer drain', async () => {
    const { sink, stall, drain, events, clock } = bench({ maxBufferedBytes: 200_000 })
    const flood = (): void => push(sink, 0, ...Array.from({ length: 30 }, () => 'x'.repeat(10_000)))
    stall()
    flood()
    await turn()
    for (let second = 0; second < 20; second++) {
      clock.now += 1000
      drain()
      stall()
      flood()
    }
    assert.ok(events.length >= 1 && events.length <= 4, String(events.length))
    assert.ok(events.every((event) => event.name === 'drained'))
  })

  it('does not let one flooding slot take the room of the others', async () => {
    const { sink, stall, drain, text } = bench({ maxBufferedBytes: 100_000 })
    stall()
    push(sink, 0, ...Array.from({ length: 5000 }, () => 'flood'.repeat(20)))
    push(sink, 1, ...Array.from({ length: 5000 }, () => 'flood'.repeat(20)))
    push(sink, 2, ...Array.from({ length: 100 }, (_, line) => `quiet ${line}`))
    sink.push(sink.source(undefined), 'the supervisor', true)
    await turn()
    const { droppedBySlot, queuedBytes } = sink.stats()
    assert.deepEqual(Object.keys(droppedBySlot), ['0', '1'])
    assert.ok(queuedBytes <= 100_000)
    drain()
    await sink.flush(1000)
    assert.equal(text().match(/^quiet/gmu)?.length, 100)
    assert.match(text(), /^the supervisor$/mu)
  })

  it('continues no line after a piece of it was dropped', async () => {
    const { sink, stall, drain, text } = bench({ maxBufferedBytes: 100 })
    const source = sink.source(0)
    stall()
    sink.push(source, 'begin', false)
    await turn()
    sink.push(source, 'x'.repeat(90), false)
    sink.push(source, 'end', true)
    drain()
    await sink.flush(1000)
    assert.equal(text(), 'begin\nend\n')
  })

  it('does not hold up a flush for longer than was asked for', async () => {
    const { sink, stall } = bench()
    stall()
    push(sink, 0, 'a')
    await sink.flush(1)
    assert.equal(sink.stats().queuedBytes, 2)
  })
})

describe('a reader that is gone', () => {
  for (const when of ['in a write', 'between writes']) {
    it(`has every line counted, when noticed ${when}`, async () => {
      const { sink, stall, drain, fail, close, events } = bench()
      stall()
      push(sink, 0, 'a', 'b')
      await turn()
      push(sink, 1, 'c')
      const flushed = sink.flush(60_000)
      fail('EPIPE')
      if (when === 'in a write') drain()
      else close('EPIPE')
      await flushed
      push(sink, 1, 'd')
      await turn()
      drain()
      const expected = { state: 'closed', queuedBytes: 0, writtenLines: 0, droppedLines: 4, droppedBySlot: { 0: 2, 1: 2 } }
      assert.deepEqual(sink.stats(), expected)
      assert.deepEqual(events, [{ name: 'closed', sink: 'stdout', code: 'EPIPE' }])
      await sink.flush(60_000)
    })
  }
})

describe('a disk that is full', () => {
  it('has lines counted, one probe a second, and is told of when it works again, with no line torn', async () => {
    const { sink, fail, text, events, clock, writes } = bench({}, true)
    push(sink, 0, 'one', 'two')
    fail('ENOSPC', 5)
    await turn()
    assert.equal(text(), 'one\nt')
    fail('ENOSPC', 0)
    for (let line = 0; line < 50; line++) {
      push(sink, 0, 'lost')
      await turn()
    }
    assert.equal(writes.length, 1, 'no write before a second is over')
    clock.now += 1000
    push(sink, 0, 'kept', 'lost')
    await turn()
    assert.equal(writes.length, 2, 'one probe')
    fail(undefined)
    clock.now += 1000
    push(sink, 1, 'three')
    await turn()
    assert.equal(text(), 'one\ntwo\nkept\nthree\n')
    assert.deepEqual(sink.stats(), { state: 'open', queuedBytes: 0, writtenLines: 4, droppedLines: 51, droppedBySlot: { 0: 51 } })
    assert.deepEqual(events, [
      { name: 'failing', sink: 'stdout', code: 'ENOSPC' },
      { name: 'recovered', sink: 'stdout', code: 'ENOSPC', droppedLines: 51 },
    ])
  })

  it('counts a write of which nobody knows how much arrived as lost', async () => {
    const { sink, fail, text, clock } = bench()
    fail('EIO')
    push(sink, 0, 'a', 'b')
    await turn()
    assert.equal(sink.stats().droppedLines, 2)
    fail(undefined)
    clock.now -= 86_400_000
    push(sink, 0, 'c')
    await turn()
    assert.equal(text(), 'c\n', 'a clock that was set back does not stop the probes')
  })

  it('does not hold up a flush', async () => {
    const { sink, fail } = bench({}, true)
    fail('ENOSPC', 0)
    push(sink, 0, 'a')
    await sink.flush(60_000)
    assert.equal(sink.stats().state, 'failing')
  })
})

it('a sink loses count of nothing, whatever happens', async () => {
  const { random, int, note } = randomFrom('sink')
  for (let round = 0; round < 100; round++) {
    const copies = random() < 0.5
    const { sink, stall, drain, fail, text, clock, close } = bench({ maxBufferedBytes: 2000 }, copies)
    let pushed = 0
    for (let step = 0; step < 200; step++) {
      const chance = random()
      if (chance < 0.6) {
        push(sink, int(3), 'x'.repeat(int(100)))
        pushed++
      } else if (chance < 0.7) stall()
      else if (chance < 0.8) drain()
      else if (chance < 0.85) fail('ENOSPC', copies ? 0 : undefined)
      else if (chance < 0.9) fail(undefined)
      else clock.now += int(2000)
      if (random() < 0.2) await turn()
      assert.ok(sink.stats().queuedBytes <= 2000, note)
    }
    fail(undefined)
    if (random() < 0.3) close('EPIPE')
    else drain()
    await sink.flush(1000)
    const { writtenLines, droppedLines, queuedBytes } = sink.stats()
    assert.deepEqual([queuedBytes, writtenLines + droppedLines], [0, pushed], note)
    assert.equal(text().split('\n').length - 1, writtenLines, note)
  }
})
