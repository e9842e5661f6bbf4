/** Reads a worker's answer to a scrape. What it says of names and labels goes into the text of the supervisor, so each is looked at. */
import { AGGREGATORS, HELP_LIMIT, LABEL_LIMIT, LABEL_NAME, LABELS_LIMIT, METRIC_NAME, METRIC_TYPES, SAMPLES_LIMIT, SUFFIXES, TYPES_LIMIT, unpackValue, type Collected, type CollectedMetric, type CollectedSample, type Counted, type HeapSpace, type WorkerDetails } from './collected.ts'

type Fields = Readonly<Record<string, unknown>>

const MOST = Number.MAX_SAFE_INTEGER
const SPACES_LIMIT = 32
const NAME_LIMIT = 100

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST
const isCountOrNull = (value: unknown): value is number | null => value === null || isCount(value)
const isName = (value: unknown): value is string => typeof value === 'string' && value.length <= NAME_LIMIT

/** Undefined when it is not what a worker of everycore sends. */
export function readCollected({ seq, details, metrics, left }: Fields): Collected | undefined {
  const read = isFields(details) ? readDetails(details) : undefined
  const known = readMetrics(metrics)
  return isCount(seq) && isCount(left) && read !== undefined && known !== undefined ? { seq, details: read, metrics: known, left } : undefined
}

function readDetails({ startedAt, heapSpaces, resources, handles, requests, virtualBytes, dataBytes, openFds, maxFds }: Fields): WorkerDetails | undefined {
  if (!isCount(startedAt) || !isHeapSpaces(heapSpaces) || !isCounted(resources) || !isCounted(handles) || !isCounted(requests)) return undefined
  if (!isCountOrNull(virtualBytes) || !isCountOrNull(dataBytes) || !isCountOrNull(openFds) || !isCountOrNull(maxFds)) return undefined
  return { startedAt, heapSpaces, resources, handles, requests, virtualBytes, dataBytes, openFds, maxFds }
}

function isHeapSpaces(value: unknown): value is readonly HeapSpace[] {
  if (!Array.isArray(value) || value.length > SPACES_LIMIT) return false
  return value.every((one: unknown) => isFields(one) && isName(one['name']) && isCount(one['total']) && isCount(one['used']) && isCount(one['available'])) && isUnique(value.map(({ name }: HeapSpace) => name))
}

function isCounted(value: unknown): value is Counted {
  if (!Array.isArray(value) || value.length > TYPES_LIMIT) return false
  return value.every((one: unknown) => Array.isArray(one) && one.length === 2 && isName(one[0]) && isCount(one[1])) && isUnique(value.map(([type]: readonly [string]) => type))
}

const isUnique = (names: readonly string[]): boolean => new Set(names).size === names.length

function readMetrics(value: unknown): readonly CollectedMetric[] | undefined {
  if (!Array.isArray(value) || value.length > SAMPLES_LIMIT) return undefined
  const metrics: CollectedMetric[] = []
  let size = 0
  for (const one of value) {
    const metric = isFields(one) ? readMetric(one) : undefined
    if (metric === undefined) return undefined
    metrics.push(metric)
    size += metric.samples.length
    if (size > SAMPLES_LIMIT) return undefined
  }
  return metrics
}

function readMetric({ name, help, type: givenType, aggregator: givenAggregator, samples: given }: Fields): CollectedMetric | undefined {
  const type = METRIC_TYPES.find((one) => one === givenType)
  const aggregator = AGGREGATORS.find((one) => one === givenAggregator)
  if (typeof name !== 'string' || !METRIC_NAME.test(name) || typeof help !== 'string' || help.length > HELP_LIMIT) return undefined
  if (type === undefined || aggregator === undefined || !Array.isArray(given) || given.length > SAMPLES_LIMIT) return undefined
  return given.every(isSample) ? { name, help, type, aggregator, samples: given } : undefined
}

function isSample(value: unknown): value is CollectedSample {
  if (!Array.isArray(value) || value.length < 2 || value.length % 2 !== 0 || value.length > 2 + 2 * LABELS_LIMIT) return false
  const [suffix, packed, ...texts] = value as readonly unknown[]
  if (typeof suffix !== 'number' || SUFFIXES[suffix] === undefined || unpackValue(packed) === undefined) return false
  let last = ''
  for (let index = 0; index < texts.length; index += 2) {
    const [name, text] = [texts[index], texts[index + 1]]
    if (typeof name !== 'string' || !LABEL_NAME.test(name) || name <= last || typeof text !== 'string' || text.length > LABEL_LIMIT) return false
    last = name
  }
  return true
}
