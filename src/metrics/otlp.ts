/**
 * Metrics in the shape that the exporters of OpenTelemetry take. Where OpenTelemetry has a name for something, it has that
 * name; else its own, without what Prometheus alone wants.
 *
 * @see https://github.com/open-telemetry/opentelemetry-js, MetricData of packages/sdk-metrics
 */
import type { MetricName } from './catalogue.ts'
import { keyOf, type Family, type Labels, type Sample } from './family.ts'

/** Seconds and nanoseconds. */
type HrTime = readonly [number, number]
type Attributes = Readonly<Record<string, string | number>>

interface HistogramValue {
  readonly buckets: { readonly boundaries: readonly number[]; readonly counts: readonly number[] }
  readonly sum: number
  readonly count: number
}

export interface OtelMetric {
  readonly descriptor: { readonly name: string; readonly description: string; readonly unit: string; readonly valueType: number }
  readonly aggregationTemporality: number
  readonly dataPointType: number
  readonly isMonotonic?: boolean
  readonly dataPoints: readonly { readonly startTime: HrTime; readonly endTime: HrTime; readonly attributes: Attributes; readonly value: number | HistogramValue }[]
}

/** Numbers of the enumerations of OpenTelemetry. */
const DOUBLE = 1
const CUMULATIVE = 1
const POINTS = { histogram: 0, gauge: 2, sum: 3 } as const

interface Name {
  readonly name: string
  readonly unit: string
}

/** By its semantic conventions. */
const NAMES: Partial<Readonly<Record<MetricName, Name>>> = {
  http_server_request_duration_seconds: { name: 'http.server.request.duration', unit: 's' },
  http_server_active_requests: { name: 'http.server.active_requests', unit: '{request}' },
  nodejs_eventloop_utilization_ratio: { name: 'nodejs.eventloop.utilization', unit: '1' },
  nodejs_eventloop_lag_min_seconds: { name: 'nodejs.eventloop.delay.min', unit: 's' },
  nodejs_eventloop_lag_max_seconds: { name: 'nodejs.eventloop.delay.max', unit: 's' },
  nodejs_eventloop_lag_mean_seconds: { name: 'nodejs.eventloop.delay.mean', unit: 's' },
  nodejs_eventloop_lag_stddev_seconds: { name: 'nodejs.eventloop.delay.stddev', unit: 's' },
  nodejs_eventloop_lag_p50_seconds: { name: 'nodejs.eventloop.delay.p50', unit: 's' },
  nodejs_eventloop_lag_p90_seconds: { name: 'nodejs.eventloop.delay.p90', unit: 's' },
  nodejs_eventloop_lag_p99_seconds: { name: 'nodejs.eventloop.delay.p99', unit: 's' },
  nodejs_gc_duration_seconds: { name: 'v8js.gc.duration', unit: 's' },
  process_resident_memory_bytes: { name: 'process.memory.usage', unit: 'By' },
}
const UNITS: readonly (readonly [ending: string, unit: string])[] = [['_seconds', 's'], ['_bytes', 'By'], ['_ratio', '1']]
const ATTRIBUTES: Readonly<Record<string, string>> = {
  http_request_method: 'http.request.method',
  http_response_status_code: 'http.response.status_code',
  worker: 'everycore.worker',
}

export interface Span {
  /** Milliseconds since 1970. */
  readonly from: number
  readonly to: number
}

export function toOtel(families: readonly Family[], span: Span): readonly OtelMetric[] {
  return families.filter(({ samples }) => samples.length > 0).flatMap((family) => convert(family, span))
}

function convert(family: Family, span: Span): readonly OtelMetric[] {
  const { type, samples } = family
  if (type === 'histogram') return [{ ...base(family, span, histograms(samples)), dataPointType: POINTS.histogram }]
  const plain = samples.filter(({ suffix }) => suffix === '').map(({ labels, value }) => ({ labels, value }))
  if (type !== 'summary') return [type === 'counter' ? sum(family, span, plain) : { ...base(family, span, plain), dataPointType: POINTS.gauge }]
  // Its exporters know no summaries.
  const parts = ['_sum', '_count'].map((ending) => sum({ ...family, name: `${family.name}${ending}` }, span, samples.filter(({ suffix }) => suffix === ending)))
  return [{ ...base(family, span, plain), dataPointType: POINTS.gauge }, ...parts]
}

interface Point {
  readonly labels: Labels
  readonly value: number | HistogramValue
}

function sum(family: Family, span: Span, points: readonly Point[]): OtelMetric {
  return { ...base(family, span, points), dataPointType: POINTS.sum, isMonotonic: true }
}

function base({ name, help }: Family, { from, to }: Span, points: readonly Point[]): Omit<OtelMetric, 'dataPointType'> {
  const known = Object.hasOwn(NAMES, name) ? NAMES[name as MetricName] : undefined
  const short = name.replace(/_total$/, '')
  const { name: title, unit } = known ?? { name: short, unit: UNITS.find(([ending]) => short.endsWith(ending))?.[1] ?? '' }
  return {
    descriptor: { name: title, description: help, unit, valueType: DOUBLE },
    aggregationTemporality: CUMULATIVE,
    dataPoints: points.map(({ labels, value }) => ({ startTime: hrTime(from), endTime: hrTime(to), attributes: attributesOf(labels), value })),
  }
}

function attributesOf(labels: Labels): Attributes {
  return Object.fromEntries(labels.map(([label, text]) => [ATTRIBUTES[label] ?? label, label === 'http_response_status_code' && /^\d+$/.test(text) ? Number(text) : text]))
}

function hrTime(ms: number): HrTime {
  return [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)]
}

/** From counts up to each bound to counts between them. */
function histograms(samples: readonly Sample[]): readonly Point[] {
  const found = new Map<string, { readonly labels: Labels; readonly upTo: (readonly [bound: number, count: number])[]; sum: number; count: number }>()
  for (const { suffix, labels, value } of samples) {
    const own = labels.filter(([name]) => name !== 'le')
    const key = keyOf('', own)
    const one = found.get(key) ?? { labels: own, upTo: [], sum: 0, count: 0 }
    found.set(key, one)
    if (suffix === '_sum') one.sum = value
    else if (suffix === '_count') one.count = value
    else one.upTo.push([Number((labels.find(([name]) => name === 'le')?.[1] ?? '').replace('Inf', 'Infinity')), value])
  }
  return [...found.values()].map(({ labels, upTo, sum: total, count }) => {
    const sorted = upTo.filter(([bound]) => bound !== Infinity).sort(([a], [b]) => a - b)
    const counts = [...sorted.map(([, reached]) => reached), count].map((reached, index) => reached - (sorted[index - 1]?.[1] ?? 0))
    return { labels, value: { buckets: { boundaries: sorted.map(([bound]) => bound), counts }, sum: total, count } }
  })
}
