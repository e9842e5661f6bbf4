/**
 * Adds up histograms. Their buckets need not be the same: after a reload the new release may have others. A count is told
 * for each bound that one of them has, and of the others what they have up to the bound below it.
 */
import { keyOf, type Labels, type Sample } from './family.ts'
import { writeNumber } from './text.ts'

/** Samples of one histogram, of several sets of labels. */
export type HistogramPart = readonly Sample[]

interface Histogram {
  sum: number
  count: number
  /** Up to each bound. */
  readonly upTo: Map<number, number>
}

export function mergeHistograms(parts: readonly HistogramPart[]): readonly Sample[] {
  const byLabels = new Map<string, { readonly labels: Labels; readonly histograms: Histogram[] }>()
  for (const part of parts) {
    for (const [key, { labels, histogram }] of read(part)) {
      const known = byLabels.get(key)
      if (known === undefined) byLabels.set(key, { labels, histograms: [histogram] })
      else known.histograms.push(histogram)
    }
  }
  return [...byLabels.values()].flatMap(({ labels, histograms }) => write(labels, histograms))
}

function read(part: HistogramPart): ReadonlyMap<string, { readonly labels: Labels; readonly histogram: Histogram }> {
  const found = new Map<string, { readonly labels: Labels; readonly histogram: Histogram }>()
  for (const { suffix, labels, value } of part) {
    const own = labels.filter(([name]) => name !== 'le')
    const key = keyOf('', own)
    const { histogram } = found.get(key) ?? { histogram: { sum: 0, count: 0, upTo: new Map<number, number>() } }
    found.set(key, { labels: own, histogram })
    if (suffix === '_sum') histogram.sum = value
    else if (suffix === '_count') histogram.count = value
    else histogram.upTo.set(boundOf(labels), value)
  }
  return found
}

function boundOf(labels: Labels): number {
  const text = labels.find(([name]) => name === 'le')?.[1] ?? ''
  return text === '+Inf' ? Infinity : Number(text)
}

function write(labels: Labels, histograms: readonly Histogram[]): readonly Sample[] {
  const bounds = [...new Set(histograms.flatMap(({ upTo }) => [...upTo.keys()]))].sort((a, b) => a - b)
  const buckets = bounds.map((bound) => ({
    suffix: '_bucket',
    labels: [...labels, ['le', writeNumber(bound)] as const],
    value: total(histograms, (histogram) => countUpTo(histogram, bound)),
  }))
  return [...buckets, { suffix: '_sum', labels, value: total(histograms, ({ sum }) => sum) }, { suffix: '_count', labels, value: total(histograms, ({ count }) => count) }]
}

function countUpTo({ upTo }: Histogram, bound: number): number {
  const exact = upTo.get(bound)
  if (exact !== undefined) return exact
  let most = 0
  for (const [below, count] of upTo) if (below < bound) most = Math.max(most, count)
  return most
}

function total(histograms: readonly Histogram[], of: (histogram: Histogram) => number): number {
  return histograms.reduce((sum, histogram) => sum + of(histogram), 0)
}
