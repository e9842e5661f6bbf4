/** The dashboard and the alerts, judged by promtool(1) of Debian's package `prometheus`. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { parse } from 'yaml'
import { alertFiles } from '../../src/generate/alerts.ts'
import { dashboardQueries, grafanaFiles } from '../../src/generate/grafana.ts'
import { CATALOGUE } from '../../src/metrics/catalogue.ts'
import { METRIC } from '../../src/generate/metric-names.ts'

const options = { skip: spawnSync('promtool', ['--version']).status === 0 ? false : 'promtool is not installed' }

const [ALERTS] = alertFiles()
const [DASHBOARD] = grafanaFiles()

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly description: string }
}
const { groups: [{ rules }] } = parse(ALERTS?.text ?? '', { version: '1.1' }) as { readonly groups: readonly [{ readonly rules: readonly Rule[] }] }

/** Runs promtool with files of these names and texts in its directory. */
function promtool(t: TestContext, args: readonly string[], files: Readonly<Record<string, string>>): string {
  const cwd = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(cwd, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text)
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd, encoding: 'utf8' })
  assert.equal(status, 0, `${stdout}${stderr}`)
  return stdout
}

test('promtool finds no fault in the rules', options, (t) => {
  const told = promtool(t, ['check', 'rules', 'alerts.yaml'], { 'alerts.yaml': ALERTS?.text ?? '' })
  assert.match(told, new RegExp(`${rules.length} rules found`))
})

const INSTANCE = 'job="shop",instance="a:9300"'

interface Case {
  readonly alert: string
  /** Series, a value for each half minute. */
  readonly series: Readonly<Record<string, string>>
  /** Labels of what fires after a quarter of an hour, besides job and instance; undefined: nothing does. */
  readonly fires: Readonly<Record<string, string>> | undefined
}

const CASES: readonly Case[] = [
  { alert: 'EverycoreNoWorkerReady', series: { [`${METRIC.workers}{${INSTANCE},state="ready"}`]: '0x40', [`${METRIC.workers}{${INSTANCE},state="booting"}`]: '2x40' }, fires: {} },
  { alert: 'EverycoreNoWorkerReady', series: { [`${METRIC.workers}{${INSTANCE},state="ready"}`]: '1x40' }, fires: undefined },
  { alert: 'EverycoreDegraded', series: { [`${METRIC.workers}{${INSTANCE},state="ready"}`]: '3x40', [`${METRIC.wanted}{${INSTANCE}}`]: '4x40' }, fires: {} },
  { alert: 'EverycoreDegraded', series: { [`${METRIC.workers}{${INSTANCE},state="ready"}`]: '4x40', [`${METRIC.workers}{${INSTANCE},state="draining"}`]: '1x40', [`${METRIC.wanted}{${INSTANCE}}`]: '4x40' }, fires: undefined },
  { alert: 'EverycoreCrashLoop', series: { [`${METRIC.restarts}{${INSTANCE},reason="crash"}`]: '0+1x40' }, fires: {} },
  { alert: 'EverycoreCrashLoop', series: { [`${METRIC.restarts}{${INSTANCE},reason="recycle"}`]: '0+1x40', [`${METRIC.restarts}{${INSTANCE},reason="crash"}`]: '0x20 3x20' }, fires: undefined },
  { alert: 'EverycoreEventLoopSaturated', series: { [`${METRIC.loopUtilization}{${INSTANCE},worker="0"}`]: '0.99x40', [`${METRIC.loopUtilization}{${INSTANCE},worker="1"}`]: '0.97x40' }, fires: {} },
  { alert: 'EverycoreEventLoopSaturated', series: { [`${METRIC.loopUtilization}{${INSTANCE},worker="0"}`]: '0.99x40', [`${METRIC.loopUtilization}{${INSTANCE},worker="1"}`]: '0.2x40' }, fires: undefined },
  { alert: 'EverycoreReloadAborted', series: { [`${METRIC.reloads}{${INSTANCE},result="aborted"}`]: '0x24 1x16' }, fires: {} },
  { alert: 'EverycoreReloadAborted', series: { [`${METRIC.reloads}{${INSTANCE},result="aborted"}`]: '1x40', [`${METRIC.reloads}{${INSTANCE},result="finished"}`]: '0+1x40' }, fires: undefined },
  { alert: 'EverycoreFileDescriptorsNearlyFull', series: { [`${METRIC.openFds}{${INSTANCE},worker="1"}`]: '950x40', [`${METRIC.maxFds}{${INSTANCE},worker="1"}`]: '1024x40', [`${METRIC.openFds}{${INSTANCE},worker="0"}`]: '50x40', [`${METRIC.maxFds}{${INSTANCE},worker="0"}`]: '1024x40' }, fires: { worker: '1' } },
  { alert: 'EverycoreFileDescriptorsNearlyFull', series: { [`${METRIC.openFds}{${INSTANCE},worker="1"}`]: '500x40', [`${METRIC.maxFds}{${INSTANCE},worker="1"}`]: '1024x40' }, fires: undefined },
  { alert: 'EverycoreMemoryNearLimit', series: { [`${METRIC.rss}{${INSTANCE},worker="0"}`]: '500x40', [`${METRIC.rss}{${INSTANCE},worker="1"}`]: '350x40', [`${METRIC.supervisorRss}{${INSTANCE}}`]: '100x40', [`${METRIC.memoryLimit}{${INSTANCE}}`]: '1000x40' }, fires: {} },
  { alert: 'EverycoreMemoryNearLimit', series: { [`${METRIC.rss}{${INSTANCE},worker="0"}`]: '500x40', [`${METRIC.supervisorRss}{${INSTANCE}}`]: '100x40', [`${METRIC.memoryLimit}{${INSTANCE}}`]: '1000x40' }, fires: undefined },
  { alert: 'EverycoreLogLinesDropped', series: { [`${METRIC.logDrops}{${INSTANCE}}`]: '0x24 7x16' }, fires: {} },
  { alert: 'EverycoreLogLinesDropped', series: { [`${METRIC.logDrops}{${INSTANCE}}`]: '7x40' }, fires: undefined },
]

test('promtool: each alert fires when it should, and not when it should not', options, (t) => {
  assert.deepEqual([...new Set(CASES.map(({ alert }) => alert))], rules.map(({ alert }) => alert), 'each has its cases')
  const tests = CASES.map(({ alert, series, fires }) => ({
    interval: '30s',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    alert_rule_test: [{ eval_time: '15m', alertname: alert, exp_alerts: fires === undefined ? [] : [{ exp_labels: { job: 'shop', instance: 'a:9300', severity: severityOf(alert), ...fires }, exp_annotations: {} }] }],
  }))
  // Without the texts, which have figures in them, only the labels are compared.
  const bare = rules.map((rule) => ({ ...rule, annotations: {} }))
  promtool(t, ['test', 'rules', 'tests.yaml'], { 'alerts.yaml': JSON.stringify({ groups: [{ name: 'everycore', rules: bare }] }), 'tests.yaml': JSON.stringify({ rule_files: ['alerts.yaml'], evaluation_interval: '30s', tests }) })
})

test('promtool: what an alert says is filled in', options, (t) => {
  const test_ = {
    interval: '30s',
    input_series: [{ series: `${METRIC.loopUtilization}{${INSTANCE},worker="0"}`, values: '0.95x40' }],
    alert_rule_test: [{
      eval_time: '15m',
      alertname: 'EverycoreEventLoopSaturated',
      exp_alerts: [{ exp_labels: { job: 'shop', instance: 'a:9300', severity: 'warning' }, exp_annotations: { summary: 'The event loops of shop on a:9300 are busy 95% of the time', description: rules.find(({ alert }) => alert === 'EverycoreEventLoopSaturated')?.annotations.description } }],
    }],
  }
  promtool(t, ['test', 'rules', 'tests.yaml'], { 'alerts.yaml': ALERTS?.text ?? '', 'tests.yaml': JSON.stringify({ rule_files: ['alerts.yaml'], evaluation_interval: '30s', tests: [test_] }) })
})

function severityOf(alert: string): string {
  return rules.find((rule) => rule.alert === alert)?.labels.severity ?? ''
}

test('promtool understands every query of the dashboard', options, (t) => {
  const recorded = dashboardQueries().map((query, index) => ({ record: `query_${index}`, expr: query.replaceAll('$__rate_interval', '1m') }))
  assert.ok(recorded.length > 20)
  promtool(t, ['check', 'rules', 'rules.yaml'], { 'rules.yaml': JSON.stringify({ groups: [{ name: 'dashboard', rules: recorded }] }) })
})

interface DashboardPanel {
  readonly id: number
  readonly title: string
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>
  readonly targets: readonly { readonly refId: string; readonly expr: string }[]
}

test('the dashboard: panels have queries and lie side by side, reloads are annotated, workers are told apart', () => {
  const dashboard = JSON.parse(DASHBOARD?.text ?? '') as { readonly panels: readonly DashboardPanel[]; readonly annotations: { readonly list: readonly { readonly expr: string }[] }; readonly templating: { readonly list: readonly { readonly name: string }[] } }
  const { panels } = dashboard
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  const taken = new Map<string, string>()
  for (const { title, gridPos: { x, y, w, h }, targets } of panels) {
    assert.ok(targets.length > 0 && new Set(targets.map(({ refId }) => refId)).size === targets.length, title)
    assert.ok(x >= 0 && x + w <= 24, title)
    for (let column = x; column < x + w; column += 1) {
      for (let line = y; line < y + h; line += 1) {
        assert.equal(taken.get(`${column},${line}`), undefined, `${title} lies over another`)
        taken.set(`${column},${line}`, title)
      }
    }
  }
  assert.ok(dashboard.annotations.list.some(({ expr }) => expr.includes(METRIC.reloads)))
  const named = new Set(['datasource', '__rate_interval', ...dashboard.templating.list.map(({ name }) => name)])
  const variables = [...(DASHBOARD?.text ?? '').matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name).filter((name) => name !== '__all')
  assert.deepEqual(variables.filter((name) => !named.has(name)), [])
  assert.ok(panels.some(({ targets }) => targets.some(({ expr }) => expr.startsWith(METRIC.rss))), 'by worker')
})

test('every metric that dashboard and alerts use is in the catalogue', () => {
  const texts = [...rules.map(({ expr }) => expr), ...dashboardQueries()]
  const used = new Set(texts.flatMap((text) => [...text.matchAll(/\b((?:everycore|http_server|process|nodejs)_[a-z0-9_]+)/g)].map(([, name = '']) => name.replace(/_(?:bucket|count)$/, ''))))
  assert.deepEqual([...used].sort(), Object.values(METRIC).sort(), 'all of METRIC is used, and nothing else')
  assert.deepEqual([...used].filter((name) => !Object.hasOwn(CATALOGUE, name)), [])
})
