/** What a worker answers to a scrape: how it is read in the worker, and what the supervisor takes for an answer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Counter, Gauge, Histogram, Registry, Summary } from 'prom-client'
import { parseWorkerMessage } from '../../src/protocol/guards.ts'
import type { Collected } from '../../src/protocol/collected.ts'
import { readDetails } from '../../src/worker/details.ts'
import { readRegistries, type MetricsRegistry } from '../../src/worker/registries.ts'

const read = (message: object): unknown => parseWorkerMessage(JSON.stringify(message))

async function answerOf(...registries: readonly MetricsRegistry[]): Promise<Collected> {
  return { seq: 1, details: readDetails(), ...(await readRegistries(registries)) }
}

function filled(): Registry {
  const registry = new Registry()
  const registers = [registry]
  registry.setDefaultLabels({ app: 'shop' })
  new Counter({ name: 'c_total', help: 'C', labelNames: ['z', 'a'], registers }).inc({ z: '1', a: 'ä"\n' }, 2)
  new Gauge({ name: 'g', help: 'G', aggregator: 'max', registers }).set(Number.NaN)
  new Histogram({ name: 'h', help: 'H', buckets: [1], registers }).observe(3)
  new Summary({ name: 's', help: 'S', percentiles: [0.5], registers }).observe(7)
  return registry
}

test('a registry of prom-client passes from the worker to the supervisor as it is', async () => {
  const answer = await answerOf(filled())
  assert.deepEqual(read({ type: 'collected', ...answer }), { type: 'collected', ...answer })
  assert.deepEqual(answer.metrics.map(({ name, type, aggregator, samples }) => [name, type, aggregator, samples]), [
    ['c_total', 'counter', 'sum', [[0, 2, 'a', 'ä"\n', 'app', 'shop', 'z', '1']]],
    ['g', 'gauge', 'max', [[0, 'NaN', 'app', 'shop']]],
    ['h', 'histogram', 'sum', [[1, 0, 'app', 'shop', 'le', '1'], [1, 1, 'app', 'shop', 'le', '+Inf'], [2, 3, 'app', 'shop'], [3, 1, 'app', 'shop']]],
    ['s', 'summary', 'sum', [[0, 7, 'app', 'shop', 'quantile', '0.5'], [2, 7, 'app', 'shop'], [3, 1, 'app', 'shop']]],
  ])
})

test('details are what the guard expects', async () => {
  const { details } = (read({ type: 'collected', ...(await answerOf()) }) ?? assert.fail('no answer')) as Collected
  assert.ok(details.heapSpaces.length > 3)
  if (process.platform === 'linux') assert.ok((details.openFds ?? 0) > 2 && (details.maxFds ?? 0) > 2 && (details.virtualBytes ?? 0) > 1e6)
})

test('a registry that fails, lies or is none is left out', async () => {
  const fails = { getMetricsAsJSON: () => Promise.reject(new Error('of the app')) }
  const throws = { getMetricsAsJSON: () => { throw new Error('of the app') } }
  const lies = { getMetricsAsJSON: () => [null, 7, { name: 'no\nname', type: 'gauge', values: [] }, { name: 'a', type: 'gauge', values: [{ value: 'x' }, { value: 1, labels: { '0': 1 } }, { value: 1, metricName: 'other' }, { value: 2, labels: {} }] }] }
  const { metrics } = await answerOf(fails, throws, lies, filled())
  assert.deepEqual(metrics.map(({ name, samples }) => [name, samples.length]), [['a', 1], ['c_total', 1], ['g', 1], ['h', 4], ['s', 3]])
})

const endless = (name: string, values: number, text: string): MetricsRegistry => ({ getMetricsAsJSON: () => [{ name, help: '', type: 'gauge', aggregator: 'sum', values: Array.from({ length: values }, (_, index) => ({ value: index, labels: { text: `${text}${index}` } })) }] })

test('more than fits into an answer is left out, and counted', async () => {
  const { metrics, left } = await answerOf(endless('few', 10, ''), endless('long', 2000, 'x'.repeat(900)), endless('many', 10_001, ''), endless('last', 5, ''))
  assert.deepEqual([metrics.map(({ name }) => name), left], [['few', 'last'], 12_001])
})

test('the global registries of all copies that are loaded are found', async () => {
  const { _cache: cache } = process.getBuiltinModule('node:module') as unknown as { readonly _cache: Record<string, unknown> }
  const own = '/app/node_modules/@prometheus-io/client/index.js'
  cache[own] = { exports: { register: filled() } }
  cache['/app/node_modules/prom-client/other.js'] = { exports: { register: { getMetricsAsJSON: () => assert.fail('not asked') } } }
  const { metrics } = await readRegistries([])
  delete cache[own]
  delete cache['/app/node_modules/prom-client/other.js']
  assert.deepEqual(metrics.map(({ name }) => name), ['c_total', 'g', 'h', 's'])
})

const WRONG: Readonly<Record<string, (answer: Collected) => object>> = {
  'a name with a line break': ({ metrics }) => ({ metrics: [{ ...metrics[0], name: 'a\nb' }] }),
  'an unknown type': ({ metrics }) => ({ metrics: [{ ...metrics[0], type: 'untyped' }] }),
  'an unknown aggregator': ({ metrics }) => ({ metrics: [{ ...metrics[0], aggregator: '__proto__' }] }),
  'help without end': ({ metrics }) => ({ metrics: [{ ...metrics[0], help: 'x'.repeat(2000) }] }),
  'a label twice': ({ metrics }) => ({ metrics: [{ ...metrics[0], samples: [[0, 1, 'a', '1', 'a', '2']] }] }),
  'a label that is no name': ({ metrics }) => ({ metrics: [{ ...metrics[0], samples: [[0, 1, 'a="1"} 7\n', '1']] }] }),
  'a value that is none': ({ metrics }) => ({ metrics: [{ ...metrics[0], samples: [[0, 'one']] }] }),
  'an unknown ending': ({ metrics }) => ({ metrics: [{ ...metrics[0], samples: [[9, 1]] }] }),
  'half a label': ({ metrics }) => ({ metrics: [{ ...metrics[0], samples: [[0, 1, 'a']] }] }),
  'a question that was not asked': () => ({ seq: -1 }),
  'no details': () => ({ details: null }),
  'a negative count': ({ details }) => ({ details: { ...details, openFds: -1 } }),
  'types without end': ({ details }) => ({ details: { ...details, handles: Array.from({ length: 100 }, (_, index) => [`T${index}`, 1]) } }),
  'a space twice': ({ details }) => ({ details: { ...details, heapSpaces: [details.heapSpaces[0], details.heapSpaces[0]] } }),
}

for (const [what, change] of Object.entries(WRONG)) {
  test(`${what} is no answer`, async () => {
    const answer = await answerOf(filled())
    assert.equal(read({ type: 'collected', ...answer, ...change(answer) }), undefined)
  })
}
