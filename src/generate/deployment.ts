import { EverycoreError } from '../base/errors.ts'

/**
 * An app and how it is to be run: all that the generators look at. Made from the command line and the configuration, not
 * from the environment of the shell that happens to ask.
 */
export interface Deployment {
  /** 1 to 64 of `a-z A-Z 0-9 . _ -`. */
  readonly name: string
  /** Directory that the app runs in: absolute. */
  readonly directory: string
  /** Absolute path. */
  readonly script: string
  /** Absolute path of the config file that holds; undefined: there is none. */
  readonly config: string | undefined
  /** Script and arguments are the config's, so that the command line need not name them. */
  readonly isConfigured: boolean
  /** The app's own arguments. */
  readonly args: readonly string[]
  /** The options of `everycore start` as they were given, but for the working directory and the config file. */
  readonly options: readonly GivenOption[]
  /** PORT for the app; undefined: not given. */
  readonly port: number | undefined
  readonly workers: WantedWorkers
  /** Resident memory at which a worker is replaced, in bytes; undefined: not given. */
  readonly maxMemory: number | undefined
  /** By `--uid` and `--gid`: who runs the app. */
  readonly user: string | undefined
  readonly group: string | undefined
  /** The configuration names a user or group: everycore changes to it itself, and must be root. */
  readonly changesUser: boolean
  readonly drainDelayMs: number
  readonly gracefulTimeoutMs: number
  /** 0: for ever. */
  readonly readyTimeoutMs: number
  /** Absolute path of Node. */
  readonly node: string
  /** Absolute path of the file that is the command. */
  readonly command: string
  /** The lock file of the package manager that stands in the directory; undefined: none. */
  readonly lockFile: LockFile | undefined
}

/** An option of `everycore start`. */
export interface GivenOption {
  /** Of the table of settings: `gracefulTimeoutMs`. */
  readonly key: string
  /** As it is written: `['--graceful-timeout', '10s']`. */
  readonly words: readonly string[]
}

/** How many workers were asked for; `auto` and all that goes by the machine are `by-machine`; undefined: nobody asked. */
export type WantedWorkers = { readonly kind: 'count'; readonly count: number } | { readonly kind: 'by-machine' } | undefined

/** Lock files whose package managers are known. */
export const LOCK_FILES = ['package-lock.json', 'pnpm-lock.yaml', 'yarn.lock'] as const

export type LockFile = (typeof LOCK_FILES)[number]

/** A text and where it is to be kept. */
export interface GeneratedFile {
  /** Relative to the working directory. */
  readonly path: string
  readonly text: string
}

/**
 * The words for everycore after its own file: options, script, arguments.
 *
 * @param changes by key: other words in the place of what was given, or an addition; an empty list leaves the option out.
 * @param named how a file is named there.
 */
export function startWords({ options, script, config, isConfigured, args }: Deployment, named: (path: string) => string, changes: Readonly<Record<string, readonly string[]>>): readonly string[] {
  const kept = options.filter(({ key }) => !Object.hasOwn(changes, key)).flatMap(({ words }) => words)
  const configWords = config === undefined ? [] : ['--config', named(config)]
  return [...kept, ...Object.values(changes).flat(), ...configWords, ...(isConfigured ? [] : [named(script), ...args])]
}

/** Whether an option was given. */
export function isGiven({ options }: Deployment, key: string): boolean {
  return options.some((option) => option.key === key)
}

/** Whole seconds, upwards. */
export function seconds(ms: number): number {
  return Math.ceil(ms / 1000)
}

/** Something that this kind of file cannot express. */
export function cannotGenerate(message: string, why: string, hint: string): EverycoreError {
  return new EverycoreError('ERR_EVERYCORE_GENERATE', message, { why, hint })
}
