import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explore } from './simulation/explore.ts'
import { MACHINE } from './simulation/machine.ts'
import type { CoreSettings } from '../../src/core/types.ts'
import type { Limits } from './simulation/explore.ts'

const DEEPER = Number(process.env['EVERYCORE_DEEPER'] ?? 0)

const SETTINGS: CoreSettings = {
  readyTimeoutMs: 20,
  drainTimeoutMs: 10,
  bootParallel: 2,
  stableMs: 30,
  provenMs: 10,
  canaryMs: 0,
  surge: { count: 1 },
  maxDraining: 2,
  spares: 0,
  maxFailures: 2,
  backoff: { baseMs: 10, factor: 1.5, capMs: 20, jitter: 0 },
}

const CANARY: CoreSettings = { ...SETTINGS, canaryMs: 20, surge: { percent: 100 }, maxDraining: 1 }
const SPARE: CoreSettings = { ...SETTINGS, spares: 1 }
const SERIAL: CoreSettings = { ...SETTINGS, bootParallel: 1, provenMs: 0 }

interface Case {
  readonly name: string
  readonly settings: CoreSettings
  readonly limits: Limits
}

const CASES: readonly Case[] = [
  { name: 'one slot, from the start', settings: SETTINGS, limits: { size: 1, depth: 5 + DEEPER, from: 'start', calm: true } },
  { name: 'one slot, running', settings: SETTINGS, limits: { size: 1, depth: 4 + DEEPER, from: 'running', calm: true } },
  { name: 'two slots, from the start', settings: SETTINGS, limits: { size: 2, depth: 4 + DEEPER, from: 'start', calm: true } },
  { name: 'two slots, running', settings: SETTINGS, limits: { size: 2, depth: 4 + DEEPER, from: 'running', calm: true } },
  { name: 'two slots at a time, with a canary', settings: CANARY, limits: { size: 2, depth: 3 + DEEPER, from: 'running', calm: true } },
  { name: 'one slot and a spare', settings: SPARE, limits: { size: 1, depth: 4 + DEEPER, from: 'running', calm: true } },
  { name: 'two slots and a spare', settings: SPARE, limits: { size: 2, depth: 3 + DEEPER, from: 'running', calm: true } },
  { name: 'two slots, one boot at a time, no proof', settings: SERIAL, limits: { size: 2, depth: 3 + DEEPER, from: 'running', calm: true } },
]

for (const { name, settings, limits } of CASES) {
  void test(`every order of events to depth ${limits.depth} keeps the invariants and comes to rest: ${name}`, (t) => {
    const { states, transitions, problem, path } = explore(settings, limits, MACHINE)
    t.diagnostic(`${states} states, ${transitions} transitions`)
    assert.equal(problem, undefined, path.map((event) => JSON.stringify(event)).join('\n'))
  })
}
