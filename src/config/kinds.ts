import { delimiter } from 'node:path'
import * as v from 'valibot'
import { parseDuration, parseSize } from '../base/units.ts'
import type { Surge } from '../core/types.ts'
import { parseControl } from './control.ts'
import { isNetwork, parseSticky } from './sticky-text.ts'
import { BALANCES, type BalanceFunction, type BalanceName, type ControlSetting, type LogFormat, type StickyFunction, type StickyKey, type Verbosity } from './types.ts'
import { splitWords } from './words.ts'
import { parseWorkers, type Workers } from './workers.ts'

/** Where the text of a setting stands: a flag may be repeated, a variable cannot. */
export type TextSource = 'flag' | 'environment'

/** How values of one type are written, as text and as an option of the library. */
export interface Kind<T> {
  /** What is allowed; completes "… is not". */
  readonly allowed: string
  /** Turns texts (several when a flag is repeated) into what `schema` judges. */
  readonly read: (texts: readonly string[], source: TextSource) => unknown
  /** Judges the value of an option, and what `read` gave. */
  readonly schema: v.GenericSchema<unknown, T>
}

/** setTimeout turns anything above into 1 ms. */
const LONGEST_MS = 2 ** 31 - 1

/**
 * Signals that an app can handle. Not SIGUSR1, which opens Node's inspector, nor SIGKILL, which nothing
 * can handle and which follows by itself.
 */
const KILL_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR2'] as const satisfies readonly NodeJS.Signals[]

const last = (texts: readonly string[]): string | undefined => texts.at(-1)?.trim()
const numberOrText = (texts: readonly string[]): unknown => {
  const text = last(texts)
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : text
}

const text = v.pipe(v.string(), v.regex(/^[^\0]+$/))
const name = v.pipe(v.string(), v.regex(/^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,64}$/))
const durationMs = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.transform((given) => parseDuration(given) ?? Number.NaN))]),
  v.number(),
  v.minValue(0),
  v.maxValue(LONGEST_MS),
)
/** Below it a busy machine would be taken for a hanging worker. */
const SHORTEST_HANG_MS = 500
/** Below it workers would do little but boot. */
const SHORTEST_LIFE_MS = 10_000
/** Node alone takes more. */
const LEAST_MEMORY = 16 * 1024 * 1024
const size = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.transform((given) => parseSize(given) ?? Number.NaN))]),
  v.number(),
  v.integer(),
  v.minValue(LEAST_MEMORY),
)
const bytes = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.transform((given) => parseSize(given) ?? Number.NaN))]),
  v.number(),
  v.integer(),
  v.minValue(0),
)
/** Below it a log would be renamed more often than written. */
const LEAST_LOG = 64 * 1024
/** Two of the longest lines. */
const LEAST_BUFFER = 256 * 1024
const MOST_BUFFER = 256 * 1024 * 1024
/** Of files; no timer waits for it. */
const ageMs = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.transform((given) => parseDuration(given) ?? Number.NaN))]),
  v.number(),
  v.minValue(0),
  v.maxValue(3650 * 86_400_000),
)
const urlPath = v.pipe(v.string(), v.regex(/^\/[!-~]{0,2000}$/))
const surge = v.pipe(
  v.union([v.string(), v.pipe(v.number(), v.transform(String))]),
  v.regex(/^[1-9]\d{0,3}%?$/),
  v.transform((given): Surge => (given.endsWith('%') ? { percent: Number.parseInt(given, 10) } : { count: Number(given) })),
)
const workers = v.pipe(
  v.union([v.string(), v.pipe(v.number(), v.transform(String))]),
  v.transform(parseWorkers),
  v.custom<Workers>((parsed) => parsed !== undefined),
)

const sticky = v.pipe(
  v.union([v.string(), v.custom<StickyFunction>((given) => typeof given === 'function')]),
  v.transform((given): StickyKey | undefined => (typeof given === 'string' ? parseSticky(given) : { by: 'function', name: null, choose: given })),
  v.custom<StickyKey>((parsed) => parsed !== undefined),
)

const port = (lowest: number): v.GenericSchema<unknown, number> => v.pipe(v.number(), v.integer(), v.minValue(lowest), v.maxValue(65_535))
const identity = v.union([v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 32 - 2)), v.pipe(v.string(), v.regex(/^[a-zA-Z_][a-zA-Z0-9._-]{0,63}\$?$/))])

const TRUE = new Set(['1', 'true', 'yes', 'on'])
const FALSE = new Set(['0', 'false', 'no', 'off'])

/** The types of settings. */
export const KINDS = {
  workers: {
    allowed: 'a number of workers: use auto, max, 1 to 1024, a percentage such as 50%, or -1 for one less than auto',
    read: last,
    schema: workers,
  },
  port: { allowed: 'a port: use 0 to 65535', read: numberOrText, schema: port(0) },
  inspectPort: { allowed: 'a port: use 1 to 65535; the inspector listens on 127.0.0.1 only', read: numberOrText, schema: port(1) },
  name: { allowed: 'a name: use 1 to 64 of the characters a-z A-Z 0-9 . _ -', read: last, schema: name },
  path: { allowed: 'a path', read: last, schema: text },
  paths: {
    allowed: 'a list of paths',
    read: (texts, source) => (source === 'flag' ? texts : texts.flatMap((list) => list.split(delimiter)).filter((path) => path !== '')),
    schema: v.pipe(v.array(text), v.readonly()),
  },
  words: {
    allowed: 'a list of arguments with every quote closed',
    read: (texts) => {
      const lists = texts.map((line) => splitWords(line))
      return lists.includes(undefined) ? undefined : lists.flat()
    },
    schema: v.pipe(v.array(v.pipe(v.string(), v.regex(/^[^\0]*$/))), v.readonly()),
  },
  duration: {
    allowed: 'a duration: use 30s, 1m or 500ms, at most 24 days',
    read: (texts) => parseDuration(last(texts) ?? '', 's'),
    schema: durationMs,
  },
  urlPath: { allowed: 'a path of a URL: use one that begins with /', read: last, schema: urlPath },
  urlPaths: { allowed: 'a list of paths of URLs: use some that begin with /', read: (texts) => texts.flatMap((list) => list.split(/[\s,]+/)).filter((path) => path !== ''), schema: v.pipe(v.array(urlPath), v.readonly()) },
  surge: { allowed: 'a number of workers: use 1 or more, or a percentage such as 25%', read: last, schema: surge },
  hangTimeout: {
    allowed: 'a duration: use 500ms or more, or 0 for never',
    read: (texts) => parseDuration(last(texts) ?? '', 's'),
    schema: v.pipe(durationMs, v.check((ms) => ms === 0 || ms >= SHORTEST_HANG_MS)),
  },
  lifetime: {
    allowed: 'a duration: use 10s or more, for instance 12h',
    read: (texts) => parseDuration(last(texts) ?? '', 's'),
    schema: v.pipe(durationMs, v.minValue(SHORTEST_LIFE_MS)),
  },
  size: { allowed: 'a size: use 16M or more, for instance 512M or 1.5G', read: (texts) => parseSize(last(texts) ?? ''), schema: size },
  logSize: { allowed: 'a size of a file: use 64K or more, for instance 10M, or 0 for never', read: (texts) => parseSize(last(texts) ?? ''), schema: v.pipe(bytes, v.check((given) => given === 0 || given >= LEAST_LOG)) },
  logBuffer: { allowed: 'a size: use 256K to 256M, or 0 for nothing', read: (texts) => parseSize(last(texts) ?? ''), schema: v.pipe(bytes, v.maxValue(MOST_BUFFER), v.check((given) => given === 0 || given >= LEAST_BUFFER)) },
  age: { allowed: 'an age: use 1h, 7d or the like, at most ten years, or 0 for never', read: (texts) => parseDuration(last(texts) ?? '', 's'), schema: ageMs },
  rotateEvery: { allowed: 'a stretch of time: use 1m or more, for instance 1d, or 0 for never', read: (texts) => parseDuration(last(texts) ?? '', 's'), schema: v.pipe(ageMs, v.check((ms) => ms === 0 || ms >= 60_000)) },
  keep: { allowed: 'a number of files: use 0 to 100', read: numberOrText, schema: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100)) },
  spares: { allowed: 'a number of workers: use 0 to 16', read: numberOrText, schema: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(16)) },
  count: { allowed: 'a number: use 1 or more', read: numberOrText, schema: v.pipe(v.number(), v.integer(), v.minValue(1)) },
  signal: {
    allowed: `a signal that can be handled: use ${KILL_SIGNALS.join(', ')}`,
    read: (texts) => last(texts)?.toUpperCase().replace(/^(?!SIG)/, 'SIG'),
    schema: v.picklist(KILL_SIGNALS),
  } satisfies Kind<NodeJS.Signals>,
  flag: {
    allowed: 'yes or no: use true or false',
    read: (texts) => {
      const given = last(texts)?.toLowerCase() ?? ''
      return TRUE.has(given) || (FALSE.has(given) ? false : given)
    },
    schema: v.boolean(),
  },
  logFormat: { allowed: 'a log format: use pretty, json or raw', read: last, schema: v.picklist(['pretty', 'json', 'raw']) } satisfies Kind<LogFormat>,
  balance: { allowed: `a way to spread connections: use ${BALANCES.join(', ')}`, read: last, schema: v.union([v.picklist(BALANCES), v.custom<BalanceFunction>((value) => typeof value === 'function')]) } satisfies Kind<BalanceName | BalanceFunction>,
  sticky: { allowed: 'a way to tell clients apart: use ip, cookie, cookie:<name> or header:<name>', read: last, schema: sticky },
  addresses: {
    allowed: 'a list of addresses: use 10.0.0.1, 10.0.0.0/8, fd00::/8 or unix, separated by commas',
    read: (texts) => texts.flatMap((list) => list.split(',')).map((address) => address.trim()).filter((address) => address !== ''),
    schema: v.pipe(v.array(v.pipe(v.string(), v.check(isNetwork))), v.readonly()),
  },
  factor: { allowed: 'a factor: use 1 to 100', read: (texts) => Number(last(texts) || Number.NaN), schema: v.pipe(v.number(), v.minValue(1), v.maxValue(100)) },
  control: {
    allowed: 'on, off, or a port of this machine: use 9300, 127.0.0.1:9300 or [::1]:9300. Others must not reach it: put a proxy with a login in front',
    read: last,
    schema: v.pipe(v.union([v.string(), v.boolean()]), v.transform(parseControl), v.custom<ControlSetting>((parsed) => parsed !== undefined)),
  },
  verbosity: { allowed: 'a verbosity: use quiet, normal or verbose', read: last, schema: v.picklist(['quiet', 'normal', 'verbose']) } satisfies Kind<Verbosity>,
  identity: { allowed: 'a user or group: use a name or a number', read: numberOrText, schema: identity },
} as const satisfies Record<string, Kind<unknown>>
