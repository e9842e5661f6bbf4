/** The control server itself; with a real supervisor behind it: test/e2e/control.test.ts. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { EverycoreError } from '../../src/base/errors.ts'
import { call, follow } from '../../src/control/client.ts'
import { keepToken } from '../../src/control/doorway.ts'
import { LIMITS } from '../../src/control/limits.ts'
import { Mutations } from '../../src/control/mutations.ts'
import { RESULT, serve } from '../harness/control.ts'
import { until } from '../harness/until.ts'

test('changes are carried out one after the other, and reloads that wait share one answer', async () => {
  const log: string[] = []
  const gates: (() => void)[] = []
  const mutations = new Mutations()
  const change = (name: string) => async (): Promise<string> => {
    log.push(`${name} begins`)
    await new Promise<void>((resolve) => gates.push(resolve))
    log.push(`${name} ends`)
    return name
  }
  const asked = ['reload', 'scale', 'reload', 'reload', 'restart', 'reload'].map(async (name) => mutations.run(name === 'scale' ? undefined : name, change(name)))
  for (let count = 1; count <= 3; count += 1) {
    await until('the next begins', () => gates.length === count)
    gates[count - 1]?.()
  }
  assert.deepEqual(await Promise.all(asked), ['reload', 'scale', 'reload', 'reload', 'restart', 'reload'])
  assert.deepEqual(log, ['reload', 'scale', 'restart'].flatMap((name) => [`${name} begins`, `${name} ends`]), 'those that had not begun shared the first')
})

test('a reload that is asked for while one runs is another one; too many changes are refused', async () => {
  const mutations = new Mutations()
  let finish: (() => void) | undefined
  let count = 0
  const reload = async (): Promise<number> => {
    count += 1
    await new Promise<void>((resolve) => (finish = resolve))
    return count
  }
  const first = mutations.run('reload', reload)
  await until('it has begun', () => count === 1)
  const others = Array.from({ length: 5 }, async () => mutations.run('reload', reload))
  finish?.()
  assert.equal(await first, 1)
  await until('the other has begun', () => count === 2)
  const waiting = Array.from({ length: LIMITS.mutations }, async () => mutations.run(undefined, async () => 0))
  await assert.rejects(async () => mutations.run(undefined, async () => 0), { code: 'ERR_EVERYCORE_STATE' })
  finish?.()
  assert.deepEqual(await Promise.all(others), [2, 2, 2, 2, 2])
  await Promise.all(waiting)
})

test('a change that fails is answered with its error, and the next one is carried out', async (t) => {
  const { path } = await serve(t, {
    reload: async () => {
      throw new EverycoreError('ERR_EVERYCORE_RELOAD', 'the reload was aborted at slot 0', { why: 'died-young', hint: 'mend it', lastLines: ['boom'] })
    },
  })
  for (const ask of [async () => call(path, 'reload'), async () => follow(path, 'reload', {}, () => {})]) {
    await assert.rejects(ask, (error: EverycoreError) => {
      assert.deepEqual([error.code, error.message, error.why, error.hint, error.lastLines], ['ERR_EVERYCORE_RELOAD', 'the reload was aborted at slot 0', 'died-young', 'mend it', ['boom']])
      return true
    })
  }
  assert.equal((await call(path, 'scale', { size: 3 })).size, 3)
})

test('a change goes on when the client that asked for it goes', async (t) => {
  let finish: (() => void) | undefined
  let count = 0
  const { path, listeners } = await serve(t, {
    reload: async () => {
      count += 1
      await new Promise<void>((resolve) => (finish = resolve))
      return RESULT
    },
  })
  const ending = new AbortController()
  const gone = follow(path, 'reload', {}, () => {}, ending.signal)
  await until('the reload begins', () => finish !== undefined)
  ending.abort()
  await assert.rejects(gone)
  await until('nobody listens for it any more', () => listeners.size === 0)
  const next = call(path, 'scale', { size: 2 })
  finish?.()
  assert.equal((await next).size, 2)
  assert.equal(count, 1)
})

test('events are told as they come, after a report', async (t) => {
  const { path, listeners } = await serve(t)
  const seen: string[] = []
  const ending = new AbortController()
  const stream = follow(path, 'events', {}, ({ type }) => seen.push(type), ending.signal).catch(() => {})
  await until('it is open', () => seen.length === 1)
  for (const listener of listeners) for (const type of ['worker:ready', 'reload:finished']) listener({ type, at: '' })
  await until('they have come', () => seen.length === 3)
  assert.deepEqual(seen, ['status', 'worker:ready', 'reload:finished'])
  ending.abort()
  await stream
  await until('it is over', () => listeners.size === 0)
})

test('a client that does not read its stream is told so and dropped, and what waits for it is bounded', async (t) => {
  const { path, listeners } = await serve(t)
  const slow = createConnection(path)
  slow.pause().write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n')
  await until('it is open', () => listeners.size === 1)
  const text = 'x'.repeat(10_000)
  let told = 0
  while (listeners.size > 0 && told < 1000) {
    for (const listener of listeners) listener({ type: 'worker:ready', at: '', text })
    told += 1
    // What goes into the buffers of the system is not ours.
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(told * text.length < LIMITS.streamBytes + 1_000_000, `${told} events of 10 kB were kept for it`)
  let received = ''
  slow.setEncoding('utf8').on('data', (chunk: string) => (received += chunk)).resume()
  await until('it hears why', () => received.includes('event: dropped\n'))
  slow.destroy()
})

test('streams leave places for questions', async (t) => {
  const { path, listeners } = await serve(t)
  const ending = new AbortController()
  const streams = Array.from({ length: LIMITS.streams }, async () => follow(path, 'events', {}, () => {}, ending.signal).catch(() => {}))
  await until('all are open', () => listeners.size === LIMITS.streams)
  await assert.rejects(async () => follow(path, 'events', {}, () => {}), { code: 'ERR_EVERYCORE_REQUEST' })
  assert.equal((await call(path, 'status')).name, 'shop')
  ending.abort()
  await Promise.all(streams)
})

test('more clients than are served at a time wait, and each is answered', async (t) => {
  let under = 0
  let most = 0
  const { path } = await serve(t, {
    scale: async (target) => {
      under += 1
      most = Math.max(most, under)
      await new Promise((resolve) => setTimeout(resolve, 1))
      under -= 1
      return { schemaVersion: 1, from: 1, size: Number(target) }
    },
  })
  const answers = await Promise.all(Array.from({ length: 400 }, async (_, index) => (index % 40 === 0 ? call(path, 'scale', { size: 5 }) : call(path, 'status'))))
  assert.equal(answers.filter((answer) => 'size' in answer && answer.size === 5).length, 10)
  assert.equal(most, 1)
})

test('at the end who is being answered is answered, and the name is free', async (t) => {
  let finish: (() => void) | undefined
  const { path, close } = await serve(t, { reload: async () => new Promise((resolve) => (finish = () => resolve(RESULT))) })
  const asked = call(path, 'reload')
  const idle = createConnection(path)
  await until('it has begun', () => finish !== undefined)
  const closed = close()
  finish?.()
  assert.equal((await asked).generation, 2)
  await Promise.all([closed, idle.closed ? undefined : once(idle, 'close')])
  await assert.rejects(async () => call(path, 'status'), { code: 'ERR_EVERYCORE_NOT_RUNNING' })
})

test('a token is kept for a successor, and else made anew', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-token-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'shop.token')
  let made = 0
  const create = (): string => String((made += 1)).padStart(32, '0')
  const first = keepToken(file, false, create)
  assert.equal(keepToken(file, true, create), first)
  assert.notEqual(keepToken(file, false, create), first)
})
