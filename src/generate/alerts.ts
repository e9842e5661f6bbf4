/** `everycore generate alerts`: alerting rules for Prometheus. */
import type { GeneratedFile } from './deployment.ts'
import { METRIC } from './metric-names.ts'
import { noted, yamlFile, type Yaml } from './yaml.ts'

interface Alert {
  readonly name: string
  /** Why these numbers. */
  readonly why: string
  readonly expr: string
  readonly for: string
  readonly severity: 'critical' | 'warning'
  readonly summary: string
  /** What it means, and what to do. */
  readonly description: string
}

/** One app on one machine or in one pod. */
const BY = 'by (job, instance)'
const ready = `sum ${BY} (${METRIC.workers}{state="ready"})`

const ALERTS: readonly Alert[] = [
  {
    name: 'EverycoreNoWorkerReady',
    why: 'Longer than a worker takes to start again.',
    expr: `${ready} == 0`,
    for: '30s',
    severity: 'critical',
    summary: 'No worker of {{ $labels.job }} on {{ $labels.instance }} is ready',
    description: 'Connections wait in the queue of the kernel. everycore status and everycore logs tell why workers do not start.',
  },
  {
    name: 'EverycoreDegraded',
    why: 'Longer than a reload or the replacement of a worker takes.',
    expr: `${ready} < sum ${BY} (${METRIC.wanted})`,
    for: '5m',
    severity: 'warning',
    summary: '{{ $labels.job }} on {{ $labels.instance }} has only {{ $value }} workers ready',
    description: 'Slots stay without a ready worker: everycore status names their last exit.',
  },
  {
    name: 'EverycoreCrashLoop',
    why: 'One crash is an accident. The back-off allows more than this in ten minutes.',
    expr: `sum ${BY} (increase(${METRIC.restarts}{reason=~"crash|boot-failure|ready-timeout|spawn-failed|stalled|memory|violation"}[10m])) > 5`,
    for: '0s',
    severity: 'critical',
    summary: 'Workers of {{ $labels.job }} on {{ $labels.instance }} crash again and again',
    description: '{{ $value | humanize }} unplanned restarts in ten minutes. everycore logs has the last lines of each.',
  },
  {
    name: 'EverycoreEventLoopSaturated',
    why: 'Above nine tenths of the time, requests wait for each other.',
    expr: `avg ${BY} (${METRIC.loopUtilization}) > 0.9`,
    for: '5m',
    severity: 'warning',
    summary: 'The event loops of {{ $labels.job }} on {{ $labels.instance }} are busy {{ $value | humanizePercentage }} of the time',
    description: 'More workers if cores are idle, more machines or pods if not; everycore profile cpu tells what takes the time.',
  },
  {
    name: 'EverycoreReloadAborted',
    why: 'Nobody may have looked at the result of a deploy.',
    expr: `sum ${BY} (increase(${METRIC.reloads}{result="aborted"}[10m])) > 0`,
    for: '0s',
    severity: 'warning',
    summary: 'A reload of {{ $labels.job }} on {{ $labels.instance }} was aborted',
    description: 'The old release goes on serving. everycore logs tells which worker failed, and why.',
  },
  {
    name: 'EverycoreFileDescriptorsNearlyFull',
    why: 'everycore stops accepting before the last one is taken.',
    expr: `${METRIC.openFds} / ${METRIC.maxFds} > 0.9`,
    for: '1m',
    severity: 'warning',
    summary: 'Worker {{ $labels.worker }} of {{ $labels.job }} on {{ $labels.instance }} has {{ $value | humanizePercentage }} of its file descriptors open',
    description: 'Raise the limit (LimitNOFILE= of systemd, ulimit -n), or find what is not closed.',
  },
  {
    name: 'EverycoreMemoryNearLimit',
    why: 'Above it the kernel kills; a reload needs the memory of a worker more.',
    expr: `(sum ${BY} (${METRIC.rss}) + sum ${BY} (${METRIC.supervisorRss})) / max ${BY} (${METRIC.memoryLimit}) > 0.9`,
    for: '5m',
    severity: 'warning',
    summary: '{{ $labels.job }} on {{ $labels.instance }} uses {{ $value | humanizePercentage }} of its memory limit',
    description: 'Raise the limit, run fewer workers, or set --max-memory, so that a worker is replaced before the kernel kills one.',
  },
  {
    name: 'EverycoreLogLinesDropped',
    why: 'Nothing is dropped while whoever reads the logs keeps up.',
    expr: `sum ${BY} (increase(${METRIC.logDrops}[10m])) > 0`,
    for: '0s',
    severity: 'warning',
    summary: '{{ $labels.job }} on {{ $labels.instance }} has dropped log lines',
    description: '{{ $value | humanize }} lines in ten minutes: their reader or disk is too slow for what is written.',
  },
]

/** Rules for all apps that a Prometheus asks. @see https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/ */
export function alertFiles(): readonly GeneratedFile[] {
  return [{ path: 'everycore-alerts.yaml', text: yamlFile([{ groups: [{ name: 'everycore', rules: ALERTS.map(rule) }] }]) }]
}

function rule({ name, why, expr, for: duration, severity, summary, description }: Alert): Yaml {
  return noted(why, { alert: name, expr, for: duration, labels: { severity }, annotations: { summary, description } })
}
