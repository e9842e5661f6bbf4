import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MACHINE } from './simulation/machine.ts'
import { MUTANTS } from './simulation/mutants.ts'
import { runSchedule } from './simulation/run.ts'
import type { Machine } from './simulation/machine.ts'

const SEEDS = 1500

/** The first seed that shows the defect, and the sentence that it breaks. */
function caught(machine: Machine): string | undefined {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { problem } = runSchedule(seed, machine)
    if (problem !== undefined) return `seed ${seed}: ${problem}`
  }
  return undefined
}

for (const { name, machine } of MUTANTS) {
  void test(`a supervisor that ${name} is noticed`, (t) => {
    const verdict = caught(machine)
    t.diagnostic(verdict ?? 'survives')
    assert.notEqual(verdict, undefined, `survives ${SEEDS} schedules`)
    assert.doesNotMatch(verdict ?? '', /the core throws/, 'the mutant is broken in a way that no invariant needs to see')
  })
}

void test('the true supervisor passes the seeds that catch the broken ones', () => {
  for (let seed = 1; seed <= 100; seed += 1) assert.equal(runSchedule(seed, MACHINE).problem, undefined, `seed ${seed}`)
})
