import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { test } from 'node:test'
import { createSamples } from '../../src/listen/worker/samples.ts'

const EVERY_MS = 250

/** A server as http.Server looks from here: so many connections, of which so many have a response under way. */
function httpServer(state: { open: number; busy: number }, onLook: () => void = () => {}): Server {
  const all = (): readonly object[] => {
    onLook()
    return Array.from({ length: state.open }, (_, index) => ({ socket: { _httpMessage: index < state.busy ? {} : null } }))
  }
  return Object.assign(createServer(), { [Symbol('http.server.connections')]: { all, idle: () => [] } })
}

test('requests in flight follow what is, within a few seconds', () => {
  const state = { open: 40, busy: 10 }
  const samples = createSamples([httpServer(state), createServer()], () => now)
  let now = 1000
  const wait = (ms: number): void => {
    for (const end = now + ms; now < end; now += EVERY_MS) samples.look(now, EVERY_MS)
  }
  assert.equal(samples.inFlight(), 0)
  wait(5000)
  assert.equal(samples.inFlight(), 10)
  state.busy = 0
  wait(500)
  assert.ok(samples.inFlight() > 3, 'a moment says little')
  wait(5000)
  assert.equal(samples.inFlight(), 0)
})

test('a look that takes long comes seldom', () => {
  let now = 0
  let looks = 0
  let tookMs = 0
  const server = httpServer({ open: 1, busy: 1 }, () => {
    looks += 1
    tookMs += 4
  })
  const samples = createSamples([server], () => now + tookMs)
  for (; now < 60_000; now += EVERY_MS) {
    tookMs = 0
    samples.look(now, EVERY_MS)
  }
  assert.ok(looks * 4 <= 60_000 * 0.002 + 4, `${looks} looks`)
  assert.ok(looks > 20)
})

test('the lag is what the timers are late', () => {
  const samples = createSamples([], () => 0)
  let now = 0
  for (let count = 0; count < 20; count += 1) {
    samples.look(now, EVERY_MS)
    now += EVERY_MS + 80
  }
  assert.equal(samples.lagMs(), 80)
  for (let count = 0; count < 40; count += 1) {
    now += EVERY_MS
    samples.look(now, EVERY_MS)
  }
  assert.ok(samples.lagMs() <= 1)
})
