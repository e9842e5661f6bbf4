/**
 * Every metric of ours, once. `docs/metrics.md` is made from it. Names that begin with `process_` and `nodejs_` are those of
 * prom-client, so that dashboards made for it work; that of request durations is the one of OpenTelemetry.
 */
import type { Family, MetricType, Sample } from './family.ts'

export interface Description {
  readonly type: MetricType
  readonly help: string
  readonly labels?: readonly string[]
}

const WORKER = ['worker']
const KIND = ['worker', 'type']
const SPACE = ['worker', 'space']

export const CATALOGUE = {
  everycore_build_info: { type: 'gauge', help: 'Always 1; the labels say which everycore and which Node the supervisor is.', labels: ['version', 'node'] },
  everycore_workers: { type: 'gauge', help: 'Worker processes by their state.', labels: ['state'] },
  everycore_workers_wanted: { type: 'gauge', help: 'How many workers there are to be.' },
  everycore_generation: { type: 'gauge', help: 'Generation of the workers: 1 at the start, one more with each reload.' },
  everycore_worker_uptime_seconds: { type: 'gauge', help: 'Time since the worker was ready.', labels: WORKER },
  everycore_worker_restarts_total: { type: 'counter', help: 'Workers that were replaced, by the reason; reloads do not count.', labels: ['reason'] },
  everycore_worker_kills_total: { type: 'counter', help: 'Workers that were ended with SIGKILL, by the reason.', labels: ['reason'] },
  everycore_worker_boot_duration_seconds: { type: 'histogram', help: 'From the start of a worker until it was ready.' },
  everycore_reloads_total: { type: 'counter', help: 'Reloads that have come to an end, by the result.', labels: ['result'] },
  everycore_reload_duration_seconds: { type: 'histogram', help: 'Duration of reloads that replaced all workers.' },
  everycore_reload_in_progress: { type: 'gauge', help: '1 while a reload is under way, else 0.' },
  everycore_upgrades_total: { type: 'counter', help: 'Upgrades of the supervisor that have come to an end, by the result.', labels: ['result'] },
  everycore_connections: { type: 'gauge', help: 'Open connections.', labels: WORKER },
  everycore_connections_accepted_total: { type: 'counter', help: 'Connections that the worker has accepted, to keep them or to hand them over.', labels: WORKER },
  everycore_connections_dropped_total: { type: 'counter', help: 'Connections that were closed at once, since maxConnections of the app was reached.', labels: WORKER },
  everycore_hand_overs_total: { type: 'counter', help: 'Connections that the worker gave to another one as they came, by the reason.', labels: ['worker', 'reason'] },
  everycore_migrations_total: { type: 'counter', help: 'Connections that the worker gave to another one between two requests.', labels: WORKER },
  everycore_relayed_connections_total: { type: 'counter', help: 'What became of connections in the hands of the supervisor.', labels: ['result'] },
  everycore_log_lines_dropped_total: { type: 'counter', help: 'Lines of output that were dropped because their reader was too slow.' },
  everycore_supervisor_cpu_seconds_total: { type: 'counter', help: 'CPU time of the supervisor.' },
  everycore_supervisor_resident_memory_bytes: { type: 'gauge', help: 'Resident memory of the supervisor.' },
  everycore_supervisor_start_time_seconds: { type: 'gauge', help: 'When the supervisor started, in seconds since 1970.' },
  everycore_memory_limit_bytes: { type: 'gauge', help: 'Memory that the supervisor and its workers may use together, by the cgroup; absent without a limit.' },
  everycore_worker_report_age_seconds: { type: 'gauge', help: 'Age of what the worker has said of itself; above 3 its event loop is blocked.', labels: WORKER },
  everycore_worker_scrape_age_seconds: { type: 'gauge', help: 'Age of the answer of the worker to a scrape: 0 when it has answered this one.', labels: WORKER },
  everycore_app_samples_dropped: { type: 'gauge', help: 'Samples of the app that are not told, because there are too many.' },

  everycore_requests_total: { type: 'counter', help: 'Requests that were answered.', labels: WORKER },
  everycore_requests_aborted_total: { type: 'counter', help: 'Requests whose client was gone before the answer.', labels: WORKER },
  http_server_active_requests: { type: 'gauge', help: 'Requests that have begun and not ended.', labels: WORKER },
  http_server_request_duration_seconds: { type: 'histogram', help: 'Duration of HTTP requests, from their head until the end of the answer.', labels: ['http_request_method', 'http_response_status_code'] },

  process_cpu_user_seconds_total: { type: 'counter', help: 'User CPU time.', labels: WORKER },
  process_cpu_system_seconds_total: { type: 'counter', help: 'System CPU time.', labels: WORKER },
  process_cpu_seconds_total: { type: 'counter', help: 'User and system CPU time.', labels: WORKER },
  process_start_time_seconds: { type: 'gauge', help: 'When the worker started, in seconds since 1970.', labels: WORKER },
  process_resident_memory_bytes: { type: 'gauge', help: 'Resident memory.', labels: WORKER },
  process_virtual_memory_bytes: { type: 'gauge', help: 'Virtual memory.', labels: WORKER },
  process_heap_bytes: { type: 'gauge', help: 'Size of the data segment.', labels: WORKER },
  process_open_fds: { type: 'gauge', help: 'Open file descriptors.', labels: WORKER },
  process_max_fds: { type: 'gauge', help: 'The most file descriptors that may be open.', labels: WORKER },
  nodejs_eventloop_lag_seconds: { type: 'gauge', help: 'Mean lag of the event loop within the last second.', labels: WORKER },
  nodejs_eventloop_lag_min_seconds: { type: 'gauge', help: 'Smallest lag of the event loop within the last second.', labels: WORKER },
  nodejs_eventloop_lag_max_seconds: { type: 'gauge', help: 'Largest lag of the event loop within the last second.', labels: WORKER },
  nodejs_eventloop_lag_mean_seconds: { type: 'gauge', help: 'Mean lag of the event loop within the last second.', labels: WORKER },
  nodejs_eventloop_lag_stddev_seconds: { type: 'gauge', help: 'Standard deviation of the lag of the event loop within the last second.', labels: WORKER },
  nodejs_eventloop_lag_p50_seconds: { type: 'gauge', help: 'Median of the lag of the event loop within the last second.', labels: WORKER },
  nodejs_eventloop_lag_p90_seconds: { type: 'gauge', help: '90th percentile of the lag of the event loop within the last second.', labels: WORKER },
  nodejs_eventloop_lag_p99_seconds: { type: 'gauge', help: '99th percentile of the lag of the event loop within the last second.', labels: WORKER },
  nodejs_eventloop_utilization_ratio: { type: 'gauge', help: 'Part of the last second in which the event loop was busy.', labels: WORKER },
  nodejs_heap_size_total_bytes: { type: 'gauge', help: 'Size of the heap.', labels: WORKER },
  nodejs_heap_size_used_bytes: { type: 'gauge', help: 'Used part of the heap.', labels: WORKER },
  nodejs_external_memory_bytes: { type: 'gauge', help: 'Memory outside of the heap that belongs to objects in it.', labels: WORKER },
  nodejs_heap_space_size_total_bytes: { type: 'gauge', help: 'Size of a space of the heap.', labels: SPACE },
  nodejs_heap_space_size_used_bytes: { type: 'gauge', help: 'Used part of a space of the heap.', labels: SPACE },
  nodejs_heap_space_size_available_bytes: { type: 'gauge', help: 'Free part of a space of the heap.', labels: SPACE },
  nodejs_gc_duration_seconds: { type: 'histogram', help: 'Duration of garbage collections by kind.', labels: ['worker', 'kind'] },
  nodejs_active_resources: { type: 'gauge', help: 'What keeps the event loop going, by type.', labels: KIND },
  nodejs_active_handles: { type: 'gauge', help: 'Active handles of libuv, by type.', labels: KIND },
  nodejs_active_requests: { type: 'gauge', help: 'Active requests of libuv, by type.', labels: KIND },
  // Gauges that are called like counters: with another type promtool would find fault with them.
  nodejs_active_resources_total: { type: 'unknown', help: 'What keeps the event loop going.', labels: WORKER },
  nodejs_active_handles_total: { type: 'unknown', help: 'Active handles of libuv.', labels: WORKER },
  nodejs_active_requests_total: { type: 'unknown', help: 'Active requests of libuv.', labels: WORKER },
  nodejs_version_info: { type: 'gauge', help: 'Always 1; the labels say which Node the workers are.', labels: ['version', 'major', 'minor', 'patch'] },
} as const satisfies Readonly<Record<string, Description>>

export type MetricName = keyof typeof CATALOGUE

/** Whether a name is one of ours. */
export function isOurs(name: string): boolean {
  return Object.hasOwn(CATALOGUE, name)
}

/** A metric of ours with its samples. */
export function familyOf(name: MetricName, samples: readonly Sample[]): Family {
  const { type, help } = CATALOGUE[name]
  return { name, type, help, samples }
}

/** A metric of ours that has a single sample for each set of labels. */
export function plain(name: MetricName, samples: readonly (readonly [labels: Sample['labels'], value: number])[]): Family {
  return familyOf(name, samples.map(([labels, value]) => ({ suffix: '', labels, value })))
}
