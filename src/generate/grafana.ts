/** `everycore generate grafana`: a dashboard, to be imported or provisioned. */
import type { GeneratedFile } from './deployment.ts'
import { METRIC } from './metric-names.ts'

/** Of the format of dashboards that Grafana 10 and later read; older ones are migrated by them. */
const SCHEMA_VERSION = 39
/** The grid of a dashboard has 24 columns. */
const COLUMNS = 24

/** A line of a panel. */
interface Query {
  /** PromQL; `$app` stands for the selection of the dashboard. */
  readonly expr: string
  /** Label names in double braces are replaced by their values. */
  readonly legend: string
}

interface Panel {
  readonly title: string
  readonly about: string
  readonly unit: 'short' | 'reqps' | 's' | 'percentunit' | 'bytes' | 'ops'
  readonly kind: 'stat' | 'timeseries'
  readonly queries: readonly Query[]
  readonly isStacked?: boolean
}

/** Set into each selector: the apps and machines that were chosen. */
const SELECTION = 'job=~"$job", instance=~"$instance"'

function of(metric: string, more = ''): string {
  return `${metric}{${SELECTION}${more === '' ? '' : `, ${more}`}}`
}

const rate = (metric: string, more = ''): string => `rate(${of(metric, more)}[$__rate_interval])`
const quantile = (q: number): string => `histogram_quantile(${q}, sum by (le) (${rate(`${METRIC.duration}_bucket`)}))`
const byWorker = (expr: string): readonly Query[] => [{ expr, legend: '{{instance}} {{worker}}' }]

const PANELS: readonly Panel[] = [
  { title: 'Ready', about: 'Workers that serve.', unit: 'short', kind: 'stat', queries: [{ expr: `sum(${of(METRIC.workers, 'state="ready"')})`, legend: 'ready' }] },
  { title: 'Requests', about: 'Answered in a second.', unit: 'reqps', kind: 'stat', queries: [{ expr: `sum(${rate(`${METRIC.duration}_count`)})`, legend: 'requests' }] },
  { title: 'p99', about: '99 of 100 requests took less.', unit: 's', kind: 'stat', queries: [{ expr: quantile(0.99), legend: 'p99' }] },
  { title: 'In flight', about: 'Requests that have begun and not ended.', unit: 'short', kind: 'stat', queries: [{ expr: `sum(${of(METRIC.inFlight)})`, legend: 'in flight' }] },
  { title: 'Restarts in an hour', about: 'Workers that were replaced.', unit: 'short', kind: 'stat', queries: [{ expr: `sum(increase(${of(METRIC.restarts)}[1h]))`, legend: 'restarts' }] },
  { title: 'Lines dropped in an hour', about: 'Log lines that nobody took in time.', unit: 'short', kind: 'stat', queries: [{ expr: `sum(increase(${of(METRIC.logDrops)}[1h]))`, legend: 'lines' }] },
  { title: 'Requests by status', about: 'Answers in a second.', unit: 'reqps', kind: 'timeseries', isStacked: true, queries: [{ expr: `sum by (http_response_status_code) (${rate(`${METRIC.duration}_count`)})`, legend: '{{http_response_status_code}}' }] },
  { title: 'Latency', about: 'From the head of a request to the end of its answer.', unit: 's', kind: 'timeseries', queries: [0.5, 0.9, 0.99].map((q) => ({ expr: quantile(q), legend: `p${Math.round(q * 100)}` })) },
  { title: 'Event loop utilisation', about: 'Part of the time that it is busy. Near 1, requests wait.', unit: 'percentunit', kind: 'timeseries', queries: byWorker(of(METRIC.loopUtilization)) },
  { title: 'Event loop lag, p99', about: 'How late timers are.', unit: 's', kind: 'timeseries', queries: byWorker(of(METRIC.loopLagP99)) },
  { title: 'CPU', about: 'Of one core; the threads of a worker may take more.', unit: 'percentunit', kind: 'timeseries', queries: byWorker(rate(METRIC.cpu)) },
  { title: 'Resident memory', about: 'Of each worker.', unit: 'bytes', kind: 'timeseries', queries: byWorker(of(METRIC.rss)) },
  { title: 'Heap used', about: 'By JavaScript.', unit: 'bytes', kind: 'timeseries', queries: byWorker(of(METRIC.heapUsed)) },
  { title: 'Requests in flight', about: 'By worker: even, or one has too much.', unit: 'short', kind: 'timeseries', queries: byWorker(of(METRIC.inFlight)) },
  { title: 'Connections', about: 'Open ones, by worker.', unit: 'short', kind: 'timeseries', queries: byWorker(of(METRIC.connections)) },
  { title: 'File descriptors', about: 'Open ones, as a part of those that are allowed.', unit: 'percentunit', kind: 'timeseries', queries: byWorker(`${of(METRIC.openFds)} / ${of(METRIC.maxFds)}`) },
  { title: 'Workers by state', about: 'What the slots are in.', unit: 'short', kind: 'timeseries', isStacked: true, queries: [{ expr: `sum by (state) (${of(METRIC.workers)})`, legend: '{{state}}' }] },
  { title: 'Restarts by reason', about: 'In a minute.', unit: 'short', kind: 'timeseries', queries: [{ expr: `sum by (reason) (increase(${of(METRIC.restarts)}[1m]))`, legend: '{{reason}}' }] },
  { title: 'Connections that changed hands', about: 'New ones that were handed over, idle ones that moved; in a second.', unit: 'ops', kind: 'timeseries', queries: [{ expr: `sum(${rate(METRIC.handOvers)})`, legend: 'handed over' }, { expr: `sum(${rate(METRIC.migrations)})`, legend: 'moved' }] },
  { title: 'Reloads', about: 'By their result, in ten minutes.', unit: 'short', kind: 'timeseries', queries: [{ expr: `sum by (result) (increase(${of(METRIC.reloads)}[10m]))`, legend: '{{result}}' }] },
]

/** Every query of the dashboard, for a check by Prometheus' own parser. */
export function dashboardQueries(): readonly string[] {
  return [...PANELS.flatMap(({ queries }) => queries.map(({ expr }) => expr)), RELOADS]
}

/** When a reload has ended, by its result. */
const RELOADS = `sum by (result) (increase(${of(METRIC.reloads)}[1m])) > 0`

/** The dashboard of all apps that a Prometheus asks. @see https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/ */
export function grafanaFiles(): readonly GeneratedFile[] {
  const dashboard = {
    title: 'everycore',
    uid: 'everycore',
    tags: ['everycore', 'nodejs'],
    schemaVersion: SCHEMA_VERSION,
    editable: true,
    // One crosshair over all panels.
    graphTooltip: 1,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    templating: { list: [{ name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Prometheus' }, labelVariable('job', METRIC.workers), labelVariable('instance', `${METRIC.workers}{job=~"$job"}`)] },
    annotations: { list: [{ name: 'Reloads', datasource: DATASOURCE, enable: true, iconColor: 'blue', expr: RELOADS, titleFormat: 'reload {{result}}', step: '60s' }] },
    panels: placed(PANELS),
  }
  return [{ path: 'everycore-dashboard.json', text: `${JSON.stringify(dashboard, null, 2)}\n` }]
}

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' }

function labelVariable(name: string, series: string): object {
  const query = `label_values(${series}, ${name})`
  return { name, type: 'query', label: name, datasource: DATASOURCE, query: { query, refId: name }, definition: query, includeAll: true, multi: true, allValue: '.*', current: { text: 'All', value: '$__all' }, refresh: 2, sort: 1 }
}

/** From left to right, line by line. */
function placed(panels: readonly Panel[]): readonly object[] {
  let [x, y, lineHeight] = [0, 0, 0]
  return panels.map((panel, index) => {
    const [w, h] = panel.kind === 'stat' ? [4, 4] : [12, 8]
    // A line is full, or of panels of another height.
    if (x + w > COLUMNS || (x > 0 && h !== lineHeight)) [x, y] = [0, y + lineHeight]
    const at = { x, y, w, h }
    lineHeight = h
    x += w
    return panelJson(panel, index + 1, at)
  })
}

function panelJson({ title, about, unit, kind, queries, isStacked = false }: Panel, id: number, gridPos: object): object {
  const custom = { fillOpacity: isStacked ? 40 : 5, showPoints: 'never', spanNulls: false, ...(isStacked && { stacking: { mode: 'normal', group: 'A' } }) }
  return {
    id,
    title,
    description: about,
    type: kind,
    datasource: DATASOURCE,
    gridPos,
    targets: queries.map(({ expr, legend }, at) => ({ refId: String.fromCharCode(65 + at), datasource: DATASOURCE, expr, legendFormat: legend, range: true })),
    fieldConfig: { defaults: { unit, min: 0, ...(kind === 'timeseries' && { custom }) }, overrides: [] },
    options: kind === 'stat' ? { colorMode: 'value', graphMode: 'area', reduceOptions: { calcs: ['lastNotNull'] } } : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  }
}
