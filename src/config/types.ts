import type { CoreSettings } from '../core/types.ts'
import type { MetricsAddress } from './metrics-address.ts'

/** Where a value came from; the first that has one wins, in this order. */
export type Origin = 'flag' | 'option' | 'config' | 'environment' | 'default'

/** A value and where it came from. */
export interface Found<T> {
  readonly value: T
  readonly origin: Origin
  /** For messages: `--workers (flag)`, `workers (everycore.config.js)`, `EVERYCORE_WORKERS (environment)`, `workers (option)`. */
  readonly where: string
}

export type LogFormat = 'pretty' | 'json' | 'raw'
/**
 * How connections are spread over the workers.
 *
 * - `least-busy`: workers accept, and hand over what is too much for them
 * - `shared`: workers accept, whoever is awake
 * - `reuseport`: workers accept, each from a socket of its slot; the kernel chooses the socket by a hash
 * - `round-robin`: the supervisor accepts, and gives each worker one in its turn
 */
export const BALANCES = ['least-busy', 'shared', 'reuseport', 'round-robin'] as const

export type BalanceName = (typeof BALANCES)[number]

/** A worker that takes connections, as {@link BalanceFunction} sees it. */
export interface SlotLoad {
  readonly slot: number
  readonly pid: number
  readonly generation: number
  /** Connections, with those that are on the way to it. */
  readonly open: number
  /** Part of the last half second that its event loop was busy, 0 to 1. */
  readonly busy: number
  /** Requests of HTTP/1.1 in flight, over about the last second. */
  readonly inFlight: number
  /** How late its timers were, in ms, over about the last second. */
  readonly lagMs: number
}

/** Gives the slot that should have the next connections; undefined: the least busy. Asked when reports have come, at most every few milliseconds. */
export type BalanceFunction = (loads: readonly SlotLoad[]) => number | undefined

/** The head of the first request on a connection. */
export interface FirstRequest {
  readonly method: string
  readonly url: string
  /** Names in lower case; several of one name are joined. */
  readonly headers: Readonly<Record<string, string>>
  /** Undefined on a unix socket. */
  readonly remoteAddress: string | undefined
}

/** Says whose a connection is; undefined: nobody's, so that it goes to the least busy worker. */
export type StickyFunction = (request: FirstRequest) => string | undefined

/** Whose connections and requests belong together. */
export interface StickyKey {
  readonly by: 'ip' | 'cookie' | 'header' | 'function'
  /** Of the header, in lower case, or of the app's own session cookie; null: none. */
  readonly name: string | null
  /** With `function`. */
  readonly choose?: StickyFunction
}

/** Each client to one worker. */
export interface StickySettings extends StickyKey {
  /** Who may say for whom it speaks: addresses, `address/bits`, or `unix`. */
  readonly trusted: readonly string[]
  /** A worker with this many times the mean of connections gets no more; 1 to 100. */
  readonly factor: number
}

export type Verbosity = 'quiet' | 'normal' | 'verbose'

/** Between which numbers of workers the load may choose. */
export interface SizeRange {
  readonly least: number
  readonly most: number
}

/** How the number of workers came about; the first output and the warnings tell it. */
export interface Sizing {
  /** The number of workers at the start. Where the load counts, the least. */
  readonly size: number
  /** The most that the load may make of it; the same as `size` where the load does not count. */
  readonly most: number
  /** What was asked for, as written: 'auto', '4', '50%'. */
  readonly asked: string
  /** CPUs this process may run on (sched_getaffinity). */
  readonly cores: number
  /** CPUs that the cgroup quota grants; undefined without a quota. Fractions kept. */
  readonly quota: number | undefined
  /** What `auto` would give: min(affinity, quota), at least 1. */
  readonly auto: number
  /** Memory limit in bytes that applies to all workers together; undefined without one. */
  readonly memoryLimit: number | undefined
  /** Sentences for the operator, for instance that there are more workers than cores. */
  readonly warnings: readonly string[]
}

/** Everything that pins what a generation runs. */
export interface Launch {
  /** Absolute path of the script. */
  readonly script: string
  readonly args: readonly string[]
  readonly cwd: string
  /** Arguments for node, before the script. */
  readonly nodeArgs: readonly string[]
  /** The complete environment of a worker, without the additions for its slot. */
  readonly env: Readonly<Record<string, string>>
  readonly uid: number | undefined
  readonly gid: number | undefined
  /** First inspector port; slot n gets port + n. Undefined: no inspector. */
  readonly inspectPort: number | undefined
}

/** What a worker must go through before it gets traffic. */
export interface ProbeSettings {
  /** Path that must be answered with a status below 400; undefined: nothing is asked. */
  readonly probe: string | undefined
  /** Paths that are asked for first, whatever comes of it. */
  readonly warmUp: readonly string[]
}

/** When a worker is no longer good enough. */
export interface HealthSettings {
  /** Its event loop stands still for so long, in ms; 0: never. */
  readonly hangTimeoutMs: number
  /** Resident memory in bytes; undefined: no limit. */
  readonly maxMemory: number | undefined
  /** Requests begun; undefined: no limit. */
  readonly maxRequests: number | undefined
  /** Since it was ready, in ms; undefined: no limit. */
  readonly maxLifetimeMs: number | undefined
}

/** Where output goes instead of stdout and stderr. */
export interface LogFileSettings {
  /** Absolute path. */
  readonly file: string
  /** Absolute path; undefined: the same file. */
  readonly errorFile: string | undefined
  /** In bytes; 0: not rotated because of its size. */
  readonly maxBytes: number
  /** In ms; 0: not rotated because of its age. */
  readonly everyMs: number
  readonly keep: number
  /** In ms; 0: older files are not removed because of their age. */
  readonly maxAgeMs: number
}

/** Whether others may ask and steer, and how they come. */
export interface ControlSetting {
  /** A unix socket in the runtime directory. */
  readonly isOn: boolean
  /** And by TCP; a loopback address. */
  readonly tcp: { readonly host: string; readonly port: number } | undefined
}

/** All settings of one run, validated, units applied. */
export interface Settings {
  readonly name: string
  readonly launch: Launch
  readonly sizing: Sizing
  /** How long the load must have been low before there is one worker less, in ms. */
  readonly shrinkAfterMs: number
  readonly core: CoreSettings
  readonly balance: BalanceName | BalanceFunction
  /** Who said so: a flag, a variable, `option` or `default`. */
  readonly balanceFrom: string
  /** Undefined: clients are not told apart. */
  readonly sticky: StickySettings | undefined
  /** Idle connections may move from one worker to another. */
  readonly rebalance: boolean
  /** How long all goes on after a stop was asked for, in ms. */
  readonly drainDelayMs: number
  /** How long an idle keep-alive connection stays open in a stop, in ms. */
  readonly lingerTimeoutMs: number
  /** The longest time over which a worker that leaves ends WebSockets and the like, in ms. */
  readonly closeSpreadMs: number
  /** Wait for `ready()` or `process.send('ready')` and not only for listening. */
  readonly waitReady: boolean
  /** The signal that the app's own handlers get after the drain. */
  readonly killSignal: NodeJS.Signals
  readonly health: HealthSettings
  /** Workers measure themselves. */
  readonly vitals: boolean
  /** Where metrics and probes are served; undefined: nowhere. */
  readonly metrics: MetricsAddress | undefined
  readonly admission: ProbeSettings
  readonly logFormat: LogFormat
  /** Undefined: stdout and stderr. */
  readonly logFiles: LogFileSettings | undefined
  /** How much of the newest output is remembered, in bytes; 0: nothing. */
  readonly logBuffer: number
  readonly color: boolean
  readonly verbosity: Verbosity
  /** Private directory (0700) for what must outlive a call; undefined when none can be used. */
  readonly runtimeDir: string | undefined
  readonly control: ControlSetting
  /** Directory of our own compiled code for workers; undefined: it is not kept. */
  readonly codeCacheDir: string | undefined
  /** Directory of the compile cache for the app in workers; undefined switches it off. */
  readonly compileCacheDir: string | undefined
  /** Sentences for the operator that belong to no other part. */
  readonly warnings: readonly string[]
  /** Every setting of the table as it was given, and where. No variable of the app is among them. */
  readonly given: Readonly<Record<string, Found<unknown>>>
}
