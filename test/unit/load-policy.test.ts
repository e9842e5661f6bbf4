import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { look, NO_IMPRESSION, smooth, type Impression, type Sight } from '../../src/primary/load-policy.ts'

const ROUND_MS = 500
const SHRINK_MS = 60_000
const MINUTE = 60_000

interface Change {
  readonly at: number
  readonly from: number
  readonly to: number
}

interface Service {
  /** How many event loops the demand would fill at a time. */
  readonly demand: (at: number, serving: number) => number
  readonly forMs: number
  readonly from?: number
  readonly most?: number
  readonly bootMs?: number
  readonly room?: () => number
  readonly shrinkAfterMs?: number
}

/** A service under a load, as the policy sees it: loops are never busier than always, new workers take their time to boot. */
function run({ demand, forMs, from = 1, most = 16, bootMs = 1000, room = () => Infinity, shrinkAfterMs = SHRINK_MS }: Service): readonly Change[] {
  const changes: Change[] = []
  let size = from
  let serving = from
  let readyAt = 0
  let busy = 0
  let impression: Impression = NO_IMPRESSION
  for (let at = 0; at < forMs; at += ROUND_MS) {
    if (at >= readyAt) serving = size
    busy = smooth(busy, Math.min(1, Math.max(0, demand(at, serving)) / serving), ROUND_MS)
    const [next, verdict] = look(impression, { at, isSteady: serving === size, size, range: { least: 1, most }, busy, room }, shrinkAfterMs)
    impression = next
    if (verdict.name !== 'resize') continue
    changes.push({ at, from: size, to: verdict.size })
    if (verdict.size > size) readyAt = at + bootMs
    else serving = verdict.size
    size = verdict.size
  }
  return changes
}

/** Numbers from 0 to 1, the same each time. */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}

const sizes = (changes: readonly Change[]): readonly number[] => changes.map(({ to }) => to)
const ups = (changes: readonly Change[]): readonly Change[] => changes.filter(({ from, to }) => to > from)
const downs = (changes: readonly Change[]): readonly Change[] => changes.filter(({ from, to }) => to < from)

describe('under a simulated load', () => {
  test('that is low nothing changes', () => assert.deepEqual(run({ demand: () => 0.3, forMs: 10 * MINUTE }), []))

  test('that jumps up, workers are added within seconds, and more where more are missing', () => {
    const changes = run({ demand: (at) => (at < 10_000 ? 0.2 : 5), forMs: 2 * MINUTE })
    assert.deepEqual(sizes(changes), [2, 3, 4, 6, 7])
    assert.ok((changes[0]?.at ?? Infinity) <= 14_500, 'the first within 4.5 s')
    assert.ok((changes.at(-1)?.at ?? Infinity) <= 45_000, 'enough after half a minute')
  })

  test('that jumps down, workers go one by one, a minute each', () => {
    const changes = run({ from: 6, demand: () => 0.3, forMs: 10 * MINUTE })
    assert.deepEqual(sizes(changes), [5, 4, 3, 2, 1])
    for (const [index, { at }] of changes.entries()) assert.ok(at - (changes[index - 1]?.at ?? 0) >= SHRINK_MS)
  })

  test('that rises slowly, and falls slowly, the number follows it', () => {
    const hill = (at: number): number => Math.max(0, 6 - Math.abs(at / MINUTE - 30) / 5)
    const changes = run({ demand: hill, forMs: 75 * MINUTE })
    const top = changes.findIndex(({ to }) => to === 8)
    assert.deepEqual(sizes(changes).slice(0, top + 1), [2, 3, 4, 5, 6, 7, 8])
    assert.deepEqual(sizes(changes).slice(top + 1), [7, 6, 5, 4, 3, 2, 1])
  })

  test('with a spike of a second nothing changes', () => {
    for (const usual of [0, 0.3, 0.6]) assert.deepEqual(run({ demand: (at) => (at >= 20_000 && at < 21_000 ? 9 : usual), forMs: 5 * MINUTE }), [], `from ${usual}`)
  })

  test('with a dip of half a minute nothing goes', () => assert.deepEqual(downs(run({ from: 4, demand: (at) => (at % MINUTE < 30_000 ? 0 : 2.5), forMs: 60 * MINUTE })), []))

  test('with a saw of some seconds, nothing goes that would be missing at the next tooth', () => {
    const changes = run({ demand: (at) => ((at % 20_000) / 20_000) * 4, forMs: 60 * MINUTE })
    assert.deepEqual(downs(changes), [])
    assert.ok((changes.at(-1)?.to ?? 0) >= 4)
  })

  test('that has an end nobody can serve, it stops at the most', () => assert.deepEqual(sizes(run({ demand: () => 100, forMs: 10 * MINUTE, most: 7 })), [2, 3, 4, 6, 7]))

  test('it never has more than the memory has room for', () => {
    const room = chance(7)
    for (const { from, to } of run({ demand: () => 100, forMs: 10 * MINUTE, most: 64, room: () => Math.floor(room() * 3) })) assert.ok(to <= from + 2)
  })
})

describe('it does not flap', () => {
  for (const noise of [0, 0.1, 0.25]) {
    test(`under a load that stays what it is, but for noise of ${noise * 100} %, it goes one way and stays`, () => {
      for (let level = 0.05; level < 8; level += 0.15) {
        const random = chance(Math.round(level * 100))
        for (const from of [1, 3, 10]) {
          const changes = run({ from, most: 10, demand: () => level * (1 + noise * (2 * random() - 1)), forMs: 14 * MINUTE })
          const told = `${level.toFixed(2)} from ${from}: ${sizes(changes).join(' ')}`
          assert.ok(ups(changes).length === 0 || downs(changes).length === 0, told)
          // With noise it may take long until a minute is quiet enough.
          if (noise === 0) assert.ok((changes.at(-1)?.at ?? 0) < 11 * MINUTE, told)
        }
      }
    })
  }

  test('nor where workers cost something themselves, or get slower beside each other', () => {
    for (let level = 0.05; level < 8; level += 0.2) {
      for (const [idle, slower] of [[0.05, 0], [0, 0.03], [0.05, 0.03]] as const) {
        for (const from of [1, 10]) {
          const changes = run({ from, most: 10, demand: (_, size) => level * (1 + slower * size) + idle * size, forMs: 14 * MINUTE })
          assert.ok(ups(changes).length === 0 || downs(changes).length === 0, `${level.toFixed(2)} from ${from}: ${sizes(changes).join(' ')}`)
        }
      }
    }
  })

  test('whatever the load does, each change but growth comes a minute after the last one', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const random = chance(seed)
      let [level, until] = [0, 0]
      const demand = (at: number): number => {
        if (at >= until) [level, until] = [random() * 10 * random(), at + random() * 3 * MINUTE]
        return level + random()
      }
      const changes = run({ demand, forMs: 60 * MINUTE })
      for (const [index, { at, from, to }] of changes.entries()) {
        const passed = at - (changes[index - 1]?.at ?? 0)
        if (to < from) assert.ok(to === from - 1 && passed >= SHRINK_MS, `seed ${seed}, at ${at}`)
        else assert.ok(to <= Math.ceil((from * 4) / 3) && passed >= 5000, `seed ${seed}, at ${at}`)
      }
    }
  })
})

const mayNotAsk = (): number => assert.fail('asked')

describe('one look', () => {
  const calm: Sight = { at: 0, isSteady: true, size: 3, range: { least: 1, most: 8 }, busy: 0.5, room: () => Infinity }
  /** What it says in the end, when this is all that is seen for a time. */
  const after = (ms: number, sight: Partial<Sight>, first: Impression = NO_IMPRESSION): string => {
    let impression = first
    for (let at = 0; at <= ms; at += ROUND_MS) {
      const [next, verdict] = look(impression, { ...calm, ...sight, at }, SHRINK_MS)
      impression = next
      if (verdict.name !== 'stay') return `${verdict.name}${verdict.name === 'resize' ? ` to ${verdict.size}` : ''} after ${at}`
    }
    return 'stay'
  }
  for (const [what, sight, said] of [
    ['busy loops: more, by what is missing', { busy: 0.8 }, 'resize to 4 after 5000'],
    ['loops that are never idle: as if they were just full', { busy: 1, size: 6 }, 'resize to 8 after 5000'],
    ['one that is never idle: two', { busy: 1, size: 1 }, 'resize to 2 after 5000'],
    ['just below the target: nothing', { busy: 0.75 }, 'stay'],
    ['busy, but there are as many as there may be', { busy: 1, size: 8 }, 'stay'],
    ['idle: one less', { busy: 0 }, 'resize to 2 after 63000'],
    ['idle, but there are as few as there may be', { busy: 0, size: 1 }, 'stay'],
    ['what would keep one less half busy: nothing', { busy: 0.34 }, 'stay'],
    ['what would keep one less not even half busy', { busy: 0.33 }, 'resize to 2 after 63000'],
    ['a reload, a worker that boots or is missing: nothing', { busy: 1, isSteady: false }, 'stay'],
    ['the same with idle loops', { busy: 0, isSteady: false }, 'stay'],
    ['no room in memory', { busy: 1, room: () => 0 }, 'vetoed after 5000'],
    ['room for one', { busy: 1, size: 6, room: () => 1 }, 'resize to 7 after 5000'],
  ] as const) {
    test(what, () => assert.equal(after(2 * MINUTE, sight), said))
  }

  test('begins anew when a worker was missing', () => {
    let impression = NO_IMPRESSION
    const verdicts = Array.from({ length: 20 }, (_, index) => {
      const [next, verdict] = look(impression, { ...calm, busy: 1, at: index * ROUND_MS, isSteady: index !== 9 }, SHRINK_MS)
      impression = next
      return verdict.name
    })
    assert.deepEqual(verdicts, Array.from({ length: 20 }, () => 'stay'))
  })

  test('tells once that memory is short, and again after a calm', () => {
    let impression = NO_IMPRESSION
    const vetoes = Array.from({ length: 200 }, (_, index): number => {
      const [next, verdict] = look(impression, { ...calm, busy: index === 100 ? 0.4 : 1, at: index * ROUND_MS, room: () => 0 }, SHRINK_MS)
      impression = next
      return verdict.name === 'vetoed' ? index : 0
    })
    assert.deepEqual(vetoes.filter((index) => index > 0), [10, 105])
  })

  test('asks for the memory only when there would be more', () => {
    assert.equal(after(MINUTE, { busy: 0.74, room: mayNotAsk }), 'stay')
    assert.equal(after(2 * MINUTE, { busy: 0, room: mayNotAsk }), 'resize to 2 after 63000')
  })

  test('a measurement counts by the time that it covers', () => {
    assert.equal(smooth(0.4, 1, 0), 0.4)
    assert.ok(Math.abs(smooth(smooth(0, 1, 500), 1, 500) - smooth(0, 1, 1000)) < 1e-12)
    assert.ok(smooth(0, 1, 10_000) > 0.999)
  })
})
