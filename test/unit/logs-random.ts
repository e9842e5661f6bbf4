/** Chance for the tests of the log room: the same for the same seed. */
export interface Chance {
  /** At least 0, less than 1. */
  readonly random: () => number
  /** A whole number, at least 0, less than `below`. */
  readonly int: (below: number) => number
  /** For the message of an assertion. */
  readonly note: string
}

/** Mulberry32; the seed comes from `EVERYCORE_TEST_SEED` or the clock. */
export function randomFrom(what: string): Chance {
  const seed = Number(process.env['EVERYCORE_TEST_SEED'] ?? Date.now() % 1_000_000_007)
  let state = seed
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return { random, int: (below) => Math.floor(random() * below), note: `${what}: EVERYCORE_TEST_SEED=${seed}` }
}
