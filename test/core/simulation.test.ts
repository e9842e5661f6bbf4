import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MACHINE } from './simulation/machine.ts'
import { runSchedule } from './simulation/run.ts'
import type { Machine } from './simulation/machine.ts'

const RUNS = Number(process.env['EVERYCORE_RUNS'] ?? 500)
const SEED = Number(process.env['EVERYCORE_SEED'] ?? 1)

/** What the schedules must have met, or the run proves little. */
const PLACES = [
  'drainWorker request',
  'drainWorker reload',
  'drainWorker rollback',
  'drainWorker scale',
  'drainWorker stop',
  'killWorker drain-timeout',
  'killWorker ready-timeout',
  'killWorker reload-aborted',
  'killWorker stop-now',
  'killWorker violation',
  'reload:aborted boot-failure',
  'reload:aborted died-young',
  'reload:aborted unfit',
  'drainWorker recycle',
  'killWorker stalled',
  'killWorker memory',
  'reload:aborted ready-timeout',
  'reload:aborted spawn-failed',
  'reload:aborted stopped',
  'reload:aborted cancelled',
  'drainWorker restart',
  'restart:started',
  'restart:finished',
  'reload:finished',
  'worker:spawn-failed',
  'releaseUnusedSockets',
  'seatWorker',
  'finish failed',
  'finish stopped',
  'finish stopped-now',
  'primary:stopping later',
]

void test('every random schedule keeps the invariants and comes to rest', (t) => {
  const startedAt = performance.now()
  const ends: Record<string, number> = {}
  const seen = new Map<string, number>()
  let events = 0
  for (let seed = SEED; seed < SEED + RUNS; seed += 1) {
    const verdict = runSchedule(seed, MACHINE)
    events += verdict.events
    for (const place of verdict.seen) seen.set(place, (seen.get(place) ?? 0) + 1)
    ends[verdict.end] = (ends[verdict.end] ?? 0) + 1
    if (verdict.problem !== undefined) {
      const { trace } = runSchedule(seed, MACHINE, true)
      assert.fail(`${verdict.problem}\nreplay: EVERYCORE_SEED=${seed} EVERYCORE_RUNS=1\n${trace.join('\n')}`)
    }
  }
  const seconds = (performance.now() - startedAt) / 1000
  t.diagnostic(`${RUNS} schedules, ${events} events, ${Math.round(RUNS / seconds)} schedules/s, ends ${JSON.stringify(ends)}`)
  t.diagnostic(PLACES.map((place) => `${place}: ${seen.get(place) ?? 0}`).join(', '))
  if (RUNS < 500) return
  for (const end of ['steady', 'stopped', 'failed', 'degraded']) assert.ok((ends[end] ?? 0) > 0, `no schedule ended ${end}`)
  for (const place of PLACES) assert.ok(seen.has(place), `no schedule came to ${place}`)
})

void test('a step changes nothing in the state that it was given', () => {
  const frozen: Machine = { ...MACHINE, step: (state, event) => MACHINE.step(deepFreeze(state), event) }
  for (let seed = SEED; seed < SEED + 50; seed += 1) assert.equal(runSchedule(seed, frozen).problem, undefined, `seed ${seed}`)
})

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
