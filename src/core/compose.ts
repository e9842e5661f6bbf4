import type { Effect, Notice, State, Step } from './types.ts'

/** A part of a step: looks at the state and the time, returns the next state and what to order. Returns the same state when it has nothing to do. */
export type Rule = (state: State, at: number) => Step

/** A step that orders nothing. */
export function quiet(state: State): Step {
  return { state, effects: [] }
}

/** Wraps a notice for the shell. */
export function announce(notice: Notice): Effect {
  return { type: 'announce', notice }
}

/** Runs `order` for each item, on the state that the one before left behind. */
export function forEach<T>(state: State, items: readonly T[], order: (state: State, item: T) => Step): Step {
  if (items.length === 0) return quiet(state)
  let current = state
  const effects: Effect[] = []
  for (const item of items) {
    const next = order(current, item)
    current = next.state
    effects.push(...next.effects)
  }
  return { state: current, effects }
}

/** Runs the rules one after the other, once. */
export function runInOrder(state: State, at: number, rules: readonly Rule[]): Step {
  return forEach(state, rules, (current, rule) => rule(current, at))
}
