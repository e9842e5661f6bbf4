/** The vocabulary of the room. */

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown'

/** Name and value in turns of what tells samples of one metric apart, in the order in which they are written. */
export type Labels = readonly (readonly [name: string, value: string])[]

export interface Sample {
  /** What follows the name of the metric: `_bucket`, `_sum`, `_count`, or nothing. */
  readonly suffix: string
  readonly labels: Labels
  readonly value: number
}

/** A metric and all its samples. */
export interface Family {
  readonly name: string
  readonly type: MetricType
  readonly help: string
  readonly samples: readonly Sample[]
}

/** Tells the samples of one metric apart. */
export function keyOf(suffix: string, labels: Labels): string {
  return JSON.stringify([suffix, labels])
}
