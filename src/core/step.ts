import { runInOrder } from './compose.ts'
import { record } from './facts/record.ts'
import { RULES } from './rules/index.ts'
import type { Rule } from './compose.ts'
import type { Effect, Event, State, Step } from './types.ts'

/** The supervisor as a function. */
export type StepFunction = (state: State, event: Event) => Step

/** More rounds than any state can need: a rule that never comes to rest is a defect. */
const MAX_ROUNDS = 100

/** The supervisor: what the state becomes when `event` has happened, and what is to be done. */
export const step: StepFunction = createStep(record, RULES)

/**
 * Builds a supervisor from a recorder of facts and a list of rules. There is one in use,
 * {@link step}; the tests build broken ones to see that they would be noticed.
 */
export function createStep(recordFact: StepFunction, rules: readonly Rule[]): StepFunction {
  return (state, event) => {
    if (state.phase === 'stopped') return { state, effects: [] }
    const recorded = recordFact(state, event)
    const settled = settle(recorded.state, event.at, rules)
    return { state: settled.state, effects: [...recorded.effects, ...settled.effects] }
  }
}

function settle(state: State, at: number, rules: readonly Rule[]): Step {
  let current = state
  const effects: Effect[] = []
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const next = runInOrder(current, at, rules)
    effects.push(...next.effects)
    if (next.state === current) return { state: current, effects }
    current = next.state
  }
  throw new Error(`the rules do not come to rest: ${JSON.stringify(current)}`)
}
