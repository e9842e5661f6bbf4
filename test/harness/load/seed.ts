/** Chance for a load: each client has a stream of its own, so that one client more does not change what the others do. */
import { randomFrom, type Random } from '../../core/simulation/random.ts'

export type { Random }

/** From `EVERYCORE_TEST_SEED` or the clock. Whoever fails prints it. */
export function chooseSeed(): number {
  return Number(process.env['EVERYCORE_TEST_SEED'] ?? Date.now() % 1_000_000_007)
}

/** The stream of that name. */
export function stream(seed: number, name: string): Random {
  let mixed = seed | 0
  for (const character of name) mixed = Math.imul(mixed ^ (character.codePointAt(0) ?? 0), 0x01000193)
  return randomFrom(mixed)
}
