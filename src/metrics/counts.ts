/** Counters and histograms by labels: what was added once is never taken away, whatever becomes of who has said it. */
import { familyOf, type MetricName } from './catalogue.ts'
import { keyOf, type Family, type Labels, type Sample } from './family.ts'
import { writeNumber } from './text.ts'

export class Counters {
  readonly #name: MetricName
  readonly #values = new Map<string, { readonly labels: Labels; value: number }>()

  constructor(name: MetricName) {
    this.#name = name
  }

  /** @param amount 0 or more; with 0 there is something to be told of from now on */
  add(labels: Labels, amount = 1): void {
    const key = keyOf('', labels)
    const known = this.#values.get(key)
    if (known === undefined) this.#values.set(key, { labels, value: amount })
    else known.value += amount
  }

  get family(): Family {
    return familyOf(this.#name, [...this.#values.values()].map(({ labels, value }) => ({ suffix: '', labels, value })))
  }
}

interface Buckets {
  readonly labels: Labels
  sum: number
  readonly counts: number[]
}

export class Histograms {
  readonly #name: MetricName
  readonly #bounds: readonly number[]
  readonly #buckets = new Map<string, Buckets>()

  /** @param bounds upper ends of the buckets, without the last one */
  constructor(name: MetricName, bounds: readonly number[]) {
    this.#name = name
    this.#bounds = bounds
  }

  /** Adds what was counted elsewhere. @param counts by bucket, not cumulative, one more than there are bounds */
  add(labels: Labels, sum: number, counts: readonly number[]): void {
    const buckets = this.#of(labels)
    buckets.sum += sum
    for (const [index, count] of counts.entries()) buckets.counts[index] = (buckets.counts[index] ?? 0) + count
  }

  observe(labels: Labels, value: number): void {
    const buckets = this.#of(labels)
    const found = this.#bounds.findIndex((bound) => value <= bound)
    const index = found === -1 ? this.#bounds.length : found
    buckets.sum += value
    buckets.counts[index] = (buckets.counts[index] ?? 0) + 1
  }

  #of(labels: Labels): Buckets {
    const key = keyOf('', labels)
    const known = this.#buckets.get(key)
    if (known !== undefined) return known
    const buckets = { labels, sum: 0, counts: [...this.#bounds, Infinity].map(() => 0) }
    this.#buckets.set(key, buckets)
    return buckets
  }

  get family(): Family {
    return familyOf(this.#name, [...this.#buckets.values()].flatMap((buckets) => this.#samples(buckets)))
  }

  #samples({ labels, sum, counts }: Buckets): readonly Sample[] {
    let total = 0
    const buckets = [...this.#bounds, Infinity].map((bound, index) => {
      total += counts[index] ?? 0
      return { suffix: '_bucket', labels: [...labels, ['le', writeNumber(bound)] as const], value: total }
    })
    return [...buckets, { suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: total }]
  }
}
