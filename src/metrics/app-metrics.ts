/**
 * The app's own metrics, of all workers together. What workers counted that are gone stays counted, so that no counter goes
 * back when one is replaced.
 */
import { assertNever } from '../base/assert-never.ts'
import { isOurs } from './catalogue.ts'
import { keyOf, type Family, type Labels, type MetricType, type Sample } from './family.ts'
import { mergeHistograms, type HistogramPart } from './merge-histograms.ts'

/** How samples of several workers become one; the words are those of prom-client. */
export type Aggregator = 'sum' | 'first' | 'min' | 'max' | 'average' | 'omit'

/** A metric of one worker. */
export interface AppMetric extends Family {
  readonly aggregator: Aggregator
}

/** Series that are told, and as many of workers that are gone. An app that makes labels of what clients send has no end of them. */
export const SAMPLE_LIMIT = 20_000

interface Series {
  readonly suffix: string
  readonly labels: Labels
  value: number
}

/** What a metric of workers that are gone has come to. */
interface Legacy {
  readonly type: MetricType
  readonly help: string
  readonly series: Map<string, Series>
  histogram: readonly Sample[]
}

export class AppMetrics {
  readonly #living = new Map<number, readonly AppMetric[]>()
  readonly #legacy = new Map<string, Legacy>()
  #legacySize = 0
  readonly #limit: number

  constructor(limit = SAMPLE_LIMIT) {
    this.#limit = limit
  }

  /** What a worker has now; it takes the place of what it had before. */
  take(worker: number, metrics: readonly AppMetric[]): void {
    this.#living.set(worker, metrics.filter(({ name }) => !isOurs(name)))
  }

  /** The worker is gone: what it counted stays. */
  gone(worker: number): void {
    const metrics = this.#living.get(worker) ?? []
    this.#living.delete(worker)
    for (const metric of metrics) if (metric.aggregator === 'sum') this.#bequeath(metric)
  }

  #bequeath({ name, type, help, samples }: AppMetric): void {
    if (type !== 'counter' && type !== 'histogram' && type !== 'summary') return
    const legacy = this.#legacy.get(name) ?? { type, help, series: new Map<string, Series>(), histogram: [] }
    if (legacy.type !== type) return
    this.#legacy.set(name, legacy)
    if (type === 'histogram') {
      const merged = mergeHistograms([legacy.histogram, samples])
      if (!this.#fits(merged.length - legacy.histogram.length)) return
      legacy.histogram = merged
      return
    }
    for (const { suffix, labels, value } of samples) {
      // A quantile of a worker that is gone tells nothing of those that are there.
      if (type === 'summary' && suffix === '') continue
      const key = keyOf(suffix, labels)
      const known = legacy.series.get(key)
      if (known !== undefined) known.value += value
      else if (this.#fits(1)) legacy.series.set(key, { suffix, labels, value })
    }
  }

  #fits(more: number): boolean {
    if (this.#legacySize + more > this.#limit) return false
    this.#legacySize += more
    return true
  }

  /** All metrics, merged, by name. `dropped`: samples that are not among them, since there are too many. */
  merged(): { readonly families: readonly Family[]; readonly dropped: number } {
    const byName = new Map<string, AppMetric[]>()
    for (const metrics of this.#living.values()) for (const metric of metrics) byName.set(metric.name, [...(byName.get(metric.name) ?? []), metric])
    const names = [...new Set([...byName.keys(), ...this.#legacy.keys()])].sort()
    const families: Family[] = []
    let size = 0
    let dropped = 0
    for (const name of names) {
      const family = merge(name, byName.get(name) ?? [], this.#legacy.get(name))
      const { length } = family.samples
      if (size + length > this.#limit) dropped += length
      else families.push(family)
      size += size + length > this.#limit ? 0 : length
    }
    return { families, dropped }
  }
}

function merge(name: string, metrics: readonly AppMetric[], legacy: Legacy | undefined): Family {
  const [first] = metrics
  const type = first?.type ?? legacy?.type ?? 'unknown'
  const help = first?.help ?? legacy?.help ?? ''
  const aggregator = first?.aggregator ?? 'sum'
  // During a reload two releases may differ in what a name means.
  const alike = metrics.filter((metric) => metric.type === type)
  const fitting = legacy?.type === type && aggregator === 'sum' ? legacy : undefined
  if (aggregator === 'omit') return { name, type, help, samples: [] }
  const parts: HistogramPart[] = alike.map(({ samples }) => samples)
  if (type === 'histogram' && aggregator === 'sum') return { name, type, help, samples: mergeHistograms(fitting === undefined ? parts : [fitting.histogram, ...parts]) }
  return { name, type, help, samples: aggregate(fitting === undefined ? parts : [[...fitting.series.values()], ...parts], type, aggregator) }
}

function aggregate(parts: readonly (readonly Sample[])[], type: MetricType, aggregator: Aggregator): readonly Sample[] {
  const found = new Map<string, { readonly sample: Sample; readonly values: number[] }>()
  for (const sample of parts.flat()) {
    const key = keyOf(sample.suffix, sample.labels)
    const known = found.get(key)
    if (known === undefined) found.set(key, { sample, values: [sample.value] })
    else known.values.push(sample.value)
  }
  return [...found.values()].map(({ sample, values }) => ({
    ...sample,
    // Quantiles cannot be added, nor can they be merged: the worst of them is told.
    value: combine(values, type === 'summary' && sample.suffix === '' && aggregator === 'sum' ? 'max' : aggregator),
  }))
}

function combine(values: readonly number[], aggregator: Aggregator): number {
  const sum = values.reduce((total, value) => total + value, 0)
  switch (aggregator) {
    case 'min':
      return Math.min(...values)
    case 'max':
      return Math.max(...values)
    case 'first':
      return values[0] ?? 0
    case 'average':
      return sum / values.length
    case 'sum':
    case 'omit':
      return sum
    default:
      return assertNever(aggregator)
  }
}
