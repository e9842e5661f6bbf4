/**
 * The app's own metrics: of every copy of prom-client or @prometheus-io/client that it has loaded, and of the registries
 * that it names itself. ES modules that import one of them share it with `require`, since both packages are CommonJS.
 */
import { AGGREGATORS, ANSWER_LIMIT, HELP_LIMIT, LABEL_LIMIT, LABEL_NAME, LABELS_LIMIT, METRIC_NAME, METRIC_TYPES, packValue, SAMPLES_LIMIT, SUFFIXES, type Collected, type CollectedMetric, type CollectedSample } from '../protocol/collected.ts'

/** What both packages call a registry. */
export interface MetricsRegistry {
  getMetricsAsJSON(): Promise<readonly unknown[]> | readonly unknown[]
}

const PACKAGE = /[\\/]node_modules[\\/](?:prom-client|@prometheus-io[\\/]client)[\\/]index\.js$/

interface Loaded {
  readonly exports?: { readonly register?: unknown }
}

/** @param named those that the app has named */
export async function readRegistries(named: Iterable<MetricsRegistry>): Promise<Pick<Collected, 'metrics' | 'left'>> {
  const metrics: CollectedMetric[] = []
  let left = 0
  let size = 0
  let samples = 0
  for (const json of await Promise.all([...new Set([...loaded(), ...named])].map(asJson))) {
    for (const one of json) {
      const metric = readMetric(one)
      if (metric === undefined) continue
      const length = Buffer.byteLength(JSON.stringify(metric)) + 1
      if (size + length > ANSWER_LIMIT || samples + metric.samples.length > SAMPLES_LIMIT) {
        left += metric.samples.length
        continue
      }
      size += length
      samples += metric.samples.length
      metrics.push(metric)
    }
  }
  return { metrics, left }
}

/** The global registry of each copy that the app has loaded. */
function loaded(): readonly MetricsRegistry[] {
  const { _cache: cache = {} } = process.getBuiltinModule('node:module') as unknown as { readonly _cache?: Readonly<Record<string, Loaded | undefined>> }
  const registries = Object.keys(cache).filter((path) => PACKAGE.test(path)).map((path) => cache[path]?.exports?.register)
  return registries.filter(isRegistry)
}

export function isRegistry(value: unknown): value is MetricsRegistry {
  return typeof value === 'object' && value !== null && 'getMetricsAsJSON' in value && typeof value.getMetricsAsJSON === 'function'
}

/** A registry that throws has nothing to say; it would fail a scrape of the app's own as well. */
async function asJson(registry: MetricsRegistry): Promise<readonly unknown[]> {
  try {
    const json: unknown = await registry.getMetricsAsJSON()
    return Array.isArray(json) ? json : []
  } catch {
    return []
  }
}

function readMetric(value: unknown): CollectedMetric | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { name, help, type: givenType, aggregator: givenAggregator, values } = value as Readonly<Record<string, unknown>>
  const type = METRIC_TYPES.find((one) => one === givenType)
  if (typeof name !== 'string' || !METRIC_NAME.test(name) || type === undefined || !Array.isArray(values)) return undefined
  return {
    name,
    help: typeof help === 'string' ? help.slice(0, HELP_LIMIT) : '',
    type,
    aggregator: AGGREGATORS.find((one) => one === givenAggregator) ?? 'sum',
    samples: values.map((one: unknown) => readSample(name, one)).filter((sample) => sample !== undefined),
  }
}

function readSample(name: string, given: unknown): CollectedSample | undefined {
  if (typeof given !== 'object' || given === null) return undefined
  const { metricName = name, labels = {}, value } = given as Readonly<Record<string, unknown>>
  const suffix = SUFFIXES.findIndex((one) => metricName === `${name}${one}`)
  if (suffix === -1 || typeof value !== 'number' || typeof labels !== 'object' || labels === null) return undefined
  const pairs = Object.entries(labels).filter(([, text]) => text !== undefined && text !== '').map(([label, text]): readonly [string, string] => [label, String(text)])
  if (pairs.length > LABELS_LIMIT || !pairs.every(([label, text]) => LABEL_NAME.test(label) && text.length <= LABEL_LIMIT)) return undefined
  return [suffix, packValue(value), ...pairs.sort(([a], [b]) => (a < b ? -1 : 1)).flat()]
}
