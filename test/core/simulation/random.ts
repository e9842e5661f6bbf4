/** A small seeded generator (mulberry32): the same seed gives the same schedule on every machine. */
export interface Random {
  /** In [0, 1). */
  readonly fraction: () => number
  /** An integer in [low, high]. */
  readonly between: (low: number, high: number) => number
  readonly chance: (probability: number) => boolean
  readonly pick: <T>(items: readonly T[]) => T
}

export function randomFrom(seed: number): Random {
  let state = Math.imul(seed, 0x9e3779b1) | 0
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  const between = (low: number, high: number): number => low + Math.floor(fraction() * (high - low + 1))
  const pick = <T>(items: readonly T[]): T => {
    const item = items[between(0, items.length - 1)]
    if (item === undefined) throw new RangeError('nothing to pick from')
    return item
  }
  return { fraction, between, chance: (probability) => fraction() < probability, pick }
}
