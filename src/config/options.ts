import type { Writable } from 'node:stream'
import * as v from 'valibot'
import { nearest } from '../base/nearest.ts'
import type { Named } from './collect.ts'
import type { Problems } from './problems.ts'
import { SETTING_KEYS, type SettingKey } from './table.ts'
import type { BalanceFunction, BalanceName, LogFormat, StickyFunction, Verbosity } from './types.ts'

/**
 * What the library takes. Every key may be left out; the defaults and their reasons stand in `table.ts`.
 * A duration is a number of milliseconds or a text with a unit (`'30s'`).
 */
export interface SupervisorOptions {
  /** The script to run, relative to `cwd`. Left out: it is looked for as the command does. */
  readonly script?: string
  /** Arguments for the script. */
  readonly args?: readonly string[]
  /** Working directory of the workers. */
  readonly cwd?: string
  /** Name of the app: 1 to 64 of `a-z A-Z 0-9 . _ -`. */
  readonly name?: string
  /** `'auto'`, `'max'`, 1 to 1024, `'50%'` or -1; or two of them, as `'2-8'`: as many as the load needs. */
  readonly workers?: number | string
  /** With two ends: one worker less when the load has been low for so long. */
  readonly shrinkAfterMs?: number | string
  /** How connections are spread over the workers: by a way that has a name, or as a function says. */
  readonly balance?: BalanceName | BalanceFunction
  /** Each client to one worker: `'ip'`, `'cookie'`, `'cookie:<name>'`, `'header:<name>'`, or a function that is asked for each connection. */
  readonly sticky?: string | StickyFunction
  /** Whose X-Forwarded-For and PROXY header `sticky: 'ip'` believes: addresses, `10.0.0.0/8`, `'unix'`. */
  readonly trustedProxies?: readonly string[]
  /** A worker with this many times the mean of connections gets no further clients, 1 to 100. */
  readonly stickyFactor?: number
  /** Whether idle connections move from workers that have more to those that have fewer. */
  readonly rebalance?: boolean
  /** Sets PORT for the workers, 0 to 65535. */
  readonly port?: number
  /** Arguments for node, before the script. */
  readonly nodeArgs?: readonly string[]
  /** Merged over `process.env`; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Env files, later ones win; the real environment wins over all. */
  readonly envFiles?: readonly string[]
  /** Boot to ready; 0 means no limit. */
  readonly readyTimeoutMs?: number | string
  /** A new worker gets no connections until it answers this path with a status below 400. */
  readonly probe?: string
  /** Paths that a new worker is asked for before it gets connections. */
  readonly warmUp?: readonly string[]
  /** In a reload, a new worker must stay ready for so long before the old one drains. */
  readonly minUptimeMs?: number | string
  /** In a reload, the first new worker serves for so long and is compared with the old ones; 0: it is not. */
  readonly canaryMs?: number | string
  /** How many workers a reload replaces at a time: a number, or `'25%'`. */
  readonly surge?: number | string
  /** Drain to exit, then SIGKILL. */
  readonly gracefulTimeoutMs?: number | string
  /** How long an idle keep-alive connection stays open in a stop. */
  readonly lingerTimeoutMs?: number | string
  readonly closeSpreadMs?: number | string
  readonly drainDelayMs?: number | string
  /** The signal that the app's own handlers get after the drain. */
  readonly killSignal?: NodeJS.Signals
  /** Wait for `ready()` or `process.send('ready')` and not only for listening. */
  readonly waitReady?: boolean
  /** How many booted workers wait to take the place of one that ends. */
  readonly spares?: number
  /** A worker whose event loop stands still for so long is killed and replaced; 0: never. */
  readonly hangTimeoutMs?: number | string
  /** A worker with more resident memory (bytes, or `'512M'`) is replaced; one with half as much again is killed. */
  readonly maxMemory?: number | string
  /** A worker is replaced when it has begun so many requests. */
  readonly maxRequests?: number
  /** A worker is replaced when it has been ready for so long. */
  readonly maxLifetimeMs?: number | string
  /** Whether workers measure themselves and count their requests. */
  readonly vitals?: boolean
  /** Where metrics and probes are served: `9300`, `'127.0.0.1:9300'`. */
  readonly metrics?: number | string
  readonly logFormat?: LogFormat
  /** All output goes to this file, relative to `cwd`, and none to `stdout` and `stderr`. */
  readonly logFile?: string
  /** With `logFile`: what would go to stderr goes to this file. */
  readonly errorFile?: string
  /** A log file that would become larger is rotated, in bytes or as `'10M'`; 0: never. */
  readonly logMaxSize?: number | string
  /** A new log file for each such stretch of time, counted from midnight local time; 0: never. */
  readonly logRotateEveryMs?: number | string
  /** How many older log files are kept, 0 to 100. */
  readonly logKeep?: number
  /** Older log files are removed when they have not been written to for so long; 0: never. */
  readonly logMaxAgeMs?: number | string
  /** How much of the newest output is remembered for `everycore logs`, in bytes or as `'1M'`; 0: nothing. */
  readonly logBuffer?: number | string
  readonly color?: boolean
  readonly verbosity?: Verbosity
  /** User to run the workers as, name or number; needs root. */
  readonly uid?: number | string
  /** Group to run the workers as, name or number; needs root. */
  readonly gid?: number | string
  /** First inspector port on 127.0.0.1; slot n gets port + n. */
  readonly inspectPort?: number
  /** Private directory for sockets and caches. */
  readonly runtimeDir?: string
  /** The control socket: `true` opens it in the runtime directory, `'9300'` or `'127.0.0.1:9300'` by TCP, too. Default: false. */
  readonly control?: boolean | string
  /** Where the output of the workers goes, and what the supervisor says. Default: stdout of this process. */
  readonly stdout?: Writable
  /** The same for stderr. */
  readonly stderr?: Writable
}

/** Options that are no settings of the table; with it they are all of {@link SupervisorOptions}, says the compiler. */
const OTHER_OPTIONS: Readonly<Record<Exclude<keyof SupervisorOptions, SettingKey>, true>> = { script: true, args: true, env: true, stdout: true, stderr: true }
const KNOWN_OPTIONS: readonly string[] = [...(SETTING_KEYS satisfies readonly (keyof SupervisorOptions)[]), ...Object.keys(OTHER_OPTIONS)]

const text = v.pipe(v.string(), v.regex(/^[^\0]+$/))
const stream = v.custom<Writable>((value) => typeof value === 'object' && value !== null && 'write' in value && typeof value.write === 'function')
const words = v.array(v.pipe(v.string(), v.regex(/^[^\0]*$/)))
const variables = v.record(v.pipe(v.string(), v.regex(/^[^\0=]+$/)), v.optional(v.pipe(v.string(), v.regex(/^[^\0]*$/))))

/** The options that are not settings, checked. */
export interface StartOptions {
  readonly script: string | undefined
  readonly args: readonly string[] | undefined
  readonly env: Readonly<Record<string, string | undefined>> | undefined
  readonly stdout: Writable | undefined
  readonly stderr: Writable | undefined
}

/** The given options by key. Anything but an object, and any unknown key, is a problem. */
export function readOptions(options: unknown, problems: Problems): Readonly<Record<string, unknown>> {
  if (options === undefined) return {}
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    problems.addSetting('the options are not an object')
    return {}
  }
  for (const key of Object.keys(options)) {
    if (KNOWN_OPTIONS.includes(key)) continue
    const meant = nearest(key, KNOWN_OPTIONS)
    problems.addSetting(`unknown option "${key}"`, meant === undefined ? `The options are: ${KNOWN_OPTIONS.join(', ')}.` : `Did you mean "${meant}"?`)
  }
  return { ...options }
}

/** Script, arguments and environment from options or a config; what is wrong with them is noted and left out. */
export function readStartOptions({ values, where }: Named, problems: Problems): StartOptions {
  const checked = <T>(key: string, schema: v.GenericSchema<unknown, T>, allowed: string): T | undefined => {
    const value = Object.hasOwn(values, key) ? values[key] : undefined
    if (value === undefined) return undefined
    const parsed = v.safeParse(schema, value)
    if (parsed.success) return parsed.output
    problems.addSetting(`${where(key)} is not ${allowed}`)
    return undefined
  }
  return {
    script: checked('script', text, 'a path'),
    args: checked('args', words, 'an array of strings'),
    env: checked('env', variables, 'an object of strings'),
    stdout: checked('stdout', stream, 'a writable stream'),
    stderr: checked('stderr', stream, 'a writable stream'),
  }
}
