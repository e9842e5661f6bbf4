/** What a worker answers when it is asked for its metrics: what is only looked at then, and the app's own. */

/** Of one metric of the app. Longer help is cut. */
export const HELP_LIMIT = 1024
/** Of one label's value; samples with longer ones are left out. */
export const LABEL_LIMIT = 1024
export const LABELS_LIMIT = 32
/** Samples of one answer. */
export const SAMPLES_LIMIT = 10_000
/** Length of one answer as JSON, so that it fits into a frame. */
export const ANSWER_LIMIT = 900_000
/** Types of resources that are told apart. */
export const TYPES_LIMIT = 32

export const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$/
/** Two underscores at the front are Prometheus's own. */
export const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]{0,99}$/

export const METRIC_TYPES = ['counter', 'gauge', 'histogram', 'summary'] as const
export const AGGREGATORS = ['sum', 'first', 'min', 'max', 'average', 'omit'] as const
export const SUFFIXES = ['', '_bucket', '_sum', '_count'] as const

/** A sample: short, as there may be thousands. The labels are names and values in turns, the names ascending. */
export type CollectedSample = readonly [suffix: number, value: number | string, ...labels: readonly string[]]

export interface CollectedMetric {
  readonly name: string
  readonly help: string
  readonly type: (typeof METRIC_TYPES)[number]
  readonly aggregator: (typeof AGGREGATORS)[number]
  readonly samples: readonly CollectedSample[]
}

/** Name and number. */
export type Counted = readonly (readonly [type: string, count: number])[]

export interface HeapSpace {
  readonly name: string
  readonly total: number
  readonly used: number
  readonly available: number
}

/** What costs too much to be looked at each second. Null where the system does not tell. */
export interface WorkerDetails {
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly heapSpaces: readonly HeapSpace[]
  readonly resources: Counted
  readonly handles: Counted
  readonly requests: Counted
  readonly virtualBytes: number | null
  readonly dataBytes: number | null
  readonly openFds: number | null
  readonly maxFds: number | null
}

/** What a worker tells unasked, before it ends. */
export const FAREWELL = 0

export interface Collected {
  /** Of the question, or {@link FAREWELL}. */
  readonly seq: number
  readonly details: WorkerDetails
  readonly metrics: readonly CollectedMetric[]
  /** Samples that did not fit. */
  readonly left: number
}

/** JSON has no such numbers. */
const WORDS: readonly (readonly [word: string, value: number])[] = [['NaN', Number.NaN], ['+Inf', Infinity], ['-Inf', -Infinity]]

/** A value as it crosses the pipe. */
export function packValue(value: number): number | string {
  return WORDS.find(([, special]) => Object.is(special, value))?.[0] ?? value
}

/** Undefined for what is none. */
export function unpackValue(packed: unknown): number | undefined {
  return typeof packed === 'number' ? packed : WORDS.find(([word]) => word === packed)?.[1]
}
