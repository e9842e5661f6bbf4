/** The app's own metrics: merged over workers, and kept when one is gone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppMetrics, type Aggregator, type AppMetric } from '../../src/metrics/app-metrics.ts'
import type { Labels, MetricType, Sample } from '../../src/metrics/family.ts'

const one = (value: number, labels: Labels = [], suffix = ''): Sample => ({ suffix, labels, value })
const metric = (name: string, type: MetricType, samples: readonly Sample[], aggregator: Aggregator = 'sum'): AppMetric => ({ name, type, help: 'Help.', aggregator, samples })
const counter = (value: number): AppMetric => metric('orders_total', 'counter', [one(value)])
const valuesOf = (metrics: AppMetrics, name: string): Readonly<Record<string, number>> =>
  Object.fromEntries(metrics.merged().families.find((family) => family.name === name)?.samples.map(({ suffix, labels, value }) => [`${suffix}${labels.map(([label, text]) => ` ${label}=${text}`).join('')}`, value]) ?? [])

function histogram(counts: Readonly<Record<string, number>>, sum: number): AppMetric {
  let total = 0
  const buckets = Object.entries(counts).map(([le, count]) => one((total += count), [['le', le]], '_bucket'))
  return metric('size', 'histogram', [...buckets, one(sum, [], '_sum'), one(total, [], '_count')])
}

test('counters are added up, and go on when a worker is gone', () => {
  const metrics = new AppMetrics()
  metrics.take(1, [counter(5)])
  metrics.take(2, [counter(7)])
  assert.deepEqual(valuesOf(metrics, 'orders_total'), { '': 12 })
  metrics.gone(1)
  assert.deepEqual(valuesOf(metrics, 'orders_total'), { '': 12 })
  metrics.take(3, [counter(1)])
  metrics.gone(2)
  metrics.gone(3)
  assert.deepEqual(valuesOf(metrics, 'orders_total'), { '': 13 })
  metrics.gone(3)
  assert.deepEqual(valuesOf(metrics, 'orders_total'), { '': 13 }, 'nobody is gone twice')
})

test('of gauges only what workers have now is told, by the aggregator of each', () => {
  const expected: Readonly<Record<Aggregator, object>> = { sum: { '': 8 }, first: { '': 6 }, min: { '': 2 }, max: { '': 6 }, average: { '': 4 }, omit: {} }
  for (const [aggregator, values] of Object.entries(expected)) {
    const metrics = new AppMetrics()
    for (const [worker, value] of [6, 2, 100].entries()) metrics.take(worker, [metric('open', 'gauge', [one(value)], aggregator as Aggregator)])
    metrics.gone(2)
    assert.deepEqual(valuesOf(metrics, 'open'), values, aggregator)
  }
})

const kinds = (a: number, b: number): AppMetric => metric('orders_total', 'counter', [one(a, [['kind', 'a']]), one(b, [['kind', 'b']])])

test('samples are told apart by their labels', () => {
  const metrics = new AppMetrics()
  metrics.take(1, [kinds(1, 2)])
  metrics.take(2, [kinds(10, 20)])
  metrics.gone(1)
  assert.deepEqual(valuesOf(metrics, 'orders_total'), { ' kind=a': 11, ' kind=b': 22 })
})

test('histograms are added up, bucket by bucket', () => {
  const metrics = new AppMetrics()
  metrics.take(1, [histogram({ 1: 1, 10: 2, '+Inf': 3 }, 40)])
  metrics.take(2, [histogram({ 1: 4, 10: 0, '+Inf': 0 }, 2)])
  const both = { '_bucket le=1': 5, '_bucket le=10': 7, '_bucket le=+Inf': 10, _sum: 42, _count: 10 }
  assert.deepEqual(valuesOf(metrics, 'size'), both)
  metrics.gone(1)
  assert.deepEqual(valuesOf(metrics, 'size'), both)
  metrics.gone(2)
  assert.deepEqual(valuesOf(metrics, 'size'), both)
})

test('a release with other buckets makes no count go back, and none smaller than the one below it', () => {
  const metrics = new AppMetrics()
  metrics.take(1, [histogram({ 1: 1, 10: 2, '+Inf': 3 }, 40)])
  metrics.gone(1)
  metrics.take(2, [histogram({ 2: 5, 10: 1, 50: 1, '+Inf': 0 }, 20)])
  assert.deepEqual(valuesOf(metrics, 'size'), { '_bucket le=1': 1, '_bucket le=2': 6, '_bucket le=10': 9, '_bucket le=50': 10, '_bucket le=+Inf': 13, _sum: 60, _count: 13 })
})

const summary = (quantile: number, sum: number): AppMetric => metric('took', 'summary', [one(quantile, [['quantile', '0.9']]), one(sum, [], '_sum'), one(1, [], '_count')])

test('of summaries the worst quantile is told, and sums stay', () => {
  const metrics = new AppMetrics()
  metrics.take(1, [summary(3, 30)])
  metrics.take(2, [summary(5, 50)])
  assert.deepEqual(valuesOf(metrics, 'took'), { ' quantile=0.9': 5, _sum: 80, _count: 2 })
  metrics.gone(2)
  assert.deepEqual(valuesOf(metrics, 'took'), { ' quantile=0.9': 3, _sum: 80, _count: 2 })
})

test('names of ours are ours', () => {
  const metrics = new AppMetrics()
  metrics.take(1, [metric('process_cpu_seconds_total', 'counter', [one(1)]), counter(1)])
  assert.deepEqual(metrics.merged().families.map(({ name }) => name), ['orders_total'])
})

test('where two releases mean different things by a name, they are not mixed', () => {
  const metrics = new AppMetrics()
  metrics.take(1, [counter(5)])
  metrics.gone(1)
  metrics.take(2, [metric('orders_total', 'gauge', [one(3)])])
  metrics.take(3, [counter(9)])
  assert.deepEqual(valuesOf(metrics, 'orders_total'), { '': 3 })
})

const many = (from: number): AppMetric => metric('orders_total', 'counter', Array.from({ length: 90 }, (_, index) => one(1, [['user', String(from + index)]])))

test('labels without end are bounded, of the living and of those that are gone', () => {
  const metrics = new AppMetrics(100)
  for (let worker = 0; worker < 10; worker += 1) {
    metrics.take(worker, [many(worker * 90), { ...counter(1), name: `small_${worker}_total` }])
    metrics.gone(worker)
  }
  const { families, dropped } = metrics.merged()
  assert.ok(families.flatMap(({ samples }) => samples).length <= 100)
  assert.equal(dropped, 0)
  metrics.take(10, [many(5000), { ...many(0), name: 'z_total' }])
  assert.ok(metrics.merged().dropped >= 90)
})
