import { resolve } from 'node:path'
import type { Host } from './host.ts'
import { settingError } from './problems.ts'
import type { Found, Origin } from './types.ts'

/** What relative paths are relative to; all absolute. */
export interface Bases {
  /** The working directory of the workers. */
  readonly cwd: string
  /** Of the command line, the environment and the library's options. */
  readonly given: string
  /** Of the config. */
  readonly config: string
}

/**
 * Without a config everything is relative to the working directory. A config is one with its directory, wherever the
 * command is called; what is typed stays relative to where it is typed.
 *
 * @param directory of the config, if there is one
 * @throws EverycoreError ERR_EVERYCORE_SETTING when the directory is not there
 */
export function resolveBases(asked: Found<string | undefined>, called: string, directory: string | undefined, host: Host): Bases {
  if (asked.value === undefined) return { cwd: directory ?? called, given: called, config: directory ?? called }
  const cwd = resolve(asked.origin === 'config' ? (directory ?? called) : called, asked.value)
  if (host.stat(cwd)?.kind !== 'directory') throw settingError(`${asked.where}: there is no directory ${cwd}`)
  return asked.origin === 'config' ? { cwd, given: called, config: cwd } : { cwd, given: cwd, config: directory ?? cwd }
}

/** What a path from there is relative to. */
export function baseOf(origin: Origin, bases: Bases): string {
  return origin === 'config' ? bases.config : bases.given
}
