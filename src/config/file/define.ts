import type { Environment } from '../collect.ts'
import type { SupervisorOptions } from '../options.ts'

/** What a config that is a function is called with. */
export interface ConfigContext {
  /** `--mode`, else NODE_ENV, else `production`. */
  readonly mode: string
  /** CPUs that this process may use, by affinity and quota, at least 1. */
  readonly cpus: number
  /** The environment of the command. */
  readonly env: Environment
}

/**
 * One app in a config file: the options of the library without its streams. A duration is a number of milliseconds or
 * a text with a unit. Paths are relative to `cwd` if there is one, else to the directory of the file.
 */
export interface AppSettings extends Omit<SupervisorOptions, 'stdout' | 'stderr' | 'env'> {
  /** Merged over the environment of the command; null removes a variable. */
  readonly env?: Readonly<Record<string, string | number | boolean | null | undefined>>
}

/** What a config file has: one app, or several with what they have in common. */
export interface UserConfig extends AppSettings {
  /** One supervisor each. What stands beside `apps` holds for those that do not say otherwise. */
  readonly apps?: readonly AppSettings[]
  /** For editors, in JSON. */
  readonly $schema?: string
}

/** A config as a file may export it. */
export type ConfigExport = UserConfig | ((context: ConfigContext) => UserConfig | Promise<UserConfig>)

/**
 * Returns what it gets. It is there for the types.
 *
 * @example
 * ```ts
 * import { defineConfig } from 'everycore'
 *
 * export default defineConfig(({ cpus }) => ({ script: 'dist/server.js', workers: Math.max(2, cpus - 1) }))
 * ```
 */
export function defineConfig<const Config extends ConfigExport>(config: Config): Config {
  return config
}
