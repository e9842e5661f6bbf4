/** How metrics are written, and for whom how. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatFor } from '../../src/metrics/accept.ts'
import { CATALOGUE, familyOf } from '../../src/metrics/catalogue.ts'
import { Counters, Histograms } from '../../src/metrics/counts.ts'
import type { Family } from '../../src/metrics/family.ts'
import { isOwnHost } from '../../src/metrics/own-host.ts'
import { writeText } from '../../src/metrics/text.ts'

const gauge = (value: number, labels: Family['samples'][number]['labels'] = []): Family => ({ name: 'g', type: 'gauge', help: 'Help.', samples: [{ suffix: '', labels, value }] })

test('a gauge, in both formats', () => {
  assert.equal(writeText([gauge(1.5)], 'prometheus'), '# HELP g Help.\n# TYPE g gauge\ng 1.5\n')
  assert.equal(writeText([gauge(1.5)], 'openmetrics'), '# HELP g Help.\n# TYPE g gauge\ng 1.5\n# EOF\n')
})

test('text of strangers cannot end a line or a label', () => {
  const family = { ...gauge(1, [['path', 'a"b\\c\nd']]), help: 'one\ntwo \\ "three"' }
  assert.equal(writeText([family], 'prometheus'), '# HELP g one\\ntwo \\\\ "three"\n# TYPE g gauge\ng{path="a\\"b\\\\c\\nd"} 1\n')
  assert.equal(writeText([family], 'openmetrics').split('\n')[0], '# HELP g one\\ntwo \\\\ \\"three\\"')
})

test('numbers that are none have their words', () => {
  const values = [Number.NaN, Infinity, -Infinity, 1e21].map((value) => writeText([gauge(value)], 'prometheus').split('\n')[2])
  assert.deepEqual(values, ['g NaN', 'g +Inf', 'g -Inf', 'g 1e+21'])
})

test('a metric without samples is not written', () => {
  assert.equal(writeText([{ ...gauge(1), samples: [] }], 'openmetrics'), '# EOF\n')
})

const named = (name: string): Family => ({ ...gauge(1), name, type: 'counter' })

test('OpenMetrics names a counter without its ending; one that has none keeps its name, without a type', () => {
  assert.equal(writeText([named('c_total')], 'openmetrics'), '# HELP c Help.\n# TYPE c counter\nc_total 1\n# EOF\n')
  assert.equal(writeText([named('c')], 'openmetrics'), '# HELP c Help.\n# TYPE c unknown\nc 1\n# EOF\n')
  assert.match(writeText([named('c')], 'prometheus'), /# TYPE c counter/)
})

test('a type that is not known is untyped for Prometheus', () => {
  assert.match(writeText([{ ...gauge(1), type: 'unknown' }], 'prometheus'), /# TYPE g untyped/)
})

test('a histogram counts up to each bound', () => {
  const histogram = new Histograms('everycore_reload_duration_seconds', [1, 5])
  for (const seconds of [0.5, 1, 3, 100]) histogram.observe([], seconds)
  histogram.add([], 2, [0, 1, 0])
  const lines = writeText([histogram.family], 'openmetrics').split('\n').slice(2)
  const name = 'everycore_reload_duration_seconds'
  assert.deepEqual(lines, [`${name}_bucket{le="1.0"} 2`, `${name}_bucket{le="5.0"} 4`, `${name}_bucket{le="+Inf"} 5`, `${name}_sum 106.5`, `${name}_count 5`, '# EOF', ''])
})

test('a counter that was named is there before it has counted', () => {
  const counter = new Counters('everycore_reloads_total')
  counter.add([['result', 'finished']], 0)
  counter.add([['result', 'aborted']])
  counter.add([['result', 'aborted']], 2)
  assert.deepEqual(counter.family.samples.map(({ value }) => value), [0, 3])
})

test('OpenMetrics is written for those who prefer it', () => {
  const prometheus3 = 'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2'
  const wishes: readonly (readonly [string | undefined, string])[] = [
    [undefined, 'prometheus'],
    ['', 'prometheus'],
    ['*/*', 'prometheus'],
    ['text/plain', 'prometheus'],
    ['text/html,application/xhtml+xml', 'prometheus'],
    [prometheus3, 'openmetrics'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text; version=1.0.0; q=0.1, text/plain', 'prometheus'],
    ['application/openmetrics-text; version=7.0.0', 'prometheus'],
    ['application/openmetrics-text; q=0', 'prometheus'],
    ['application/openmetrics-text; q=nonsense', 'prometheus'],
    [`application/openmetrics-text,${','.repeat(100_000)}`, 'prometheus'],
  ]
  assert.deepEqual(wishes.map(([accept]) => formatFor(accept)), wishes.map(([, format]) => format))
})

test('a Host header that names another machine is told apart', () => {
  const own = ['localhost', 'LOCALHOST:9300', '127.0.0.1', '127.0.0.1:9300', '127.1.2.3:80', '[::1]:9300', '[::1]']
  const others = [undefined, '', 'evil.test', 'localhost6', 'localhost.evil.test', '127.0.0.1.evil.test:9300', '127.0.0.1@evil.test', '0.0.0.0', '[::2]', '::1']
  assert.deepEqual(own.filter((host) => !isOwnHost(host)), [])
  assert.deepEqual(others.filter((host) => isOwnHost(host)), [])
})

test('names and types of ours fit together', () => {
  for (const [name, { type, help }] of Object.entries(CATALOGUE)) {
    assert.match(name, /^[a-z][a-z0-9_]*$/)
    assert.match(help, /^[A-Z0-9].*\.$/)
    if (type !== 'unknown') assert.equal(name.endsWith('_total'), type === 'counter', name)
  }
  assert.equal(familyOf('everycore_workers', []).type, 'gauge')
})
