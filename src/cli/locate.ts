/** Which config file holds for a command line. */
import { resolve } from 'node:path'
import { EverycoreError } from '../base/errors.ts'
import type { Environment } from '../config/collect.ts'
import { choose, type Choice } from '../config/file/choose.ts'
import { findConfig, namedConfig } from '../config/file/find.ts'
import { isConfigFile } from '../config/file/names.ts'
import type { Host } from '../config/host.ts'
import type { StartRequest } from './argv.ts'

/** A command line, and where its settings stand. */
export interface Located {
  /** Absolute; undefined: there is no config file. */
  readonly path: string | undefined
  readonly choice: Choice
  /** Without the config file, if it stood in the place of the script. */
  readonly request: StartRequest
}

/**
 * Finds the config file. Without one this costs a few questions to the system.
 *
 * @throws EverycoreError ERR_EVERYCORE_USAGE, ERR_EVERYCORE_CONFIG
 */
export async function locate(given: StartRequest, cwd: string, env: Environment, host: Host): Promise<Located> {
  const request = given.script !== undefined && isConfigFile(given.script) ? await (await import('./config-request.ts')).asConfigRequest(given) : given
  const choice = choose(request.flags, env)
  return { path: configPath(choice, request, cwd, env, host), choice, request }
}

/** The config file that holds: the one that was named, or the one of the directory that the app starts in. */
function configPath({ file, only }: Choice, { flags }: StartRequest, cwd: string, env: Environment, host: Host): string | undefined {
  if (typeof file === 'string') return namedConfig(file, cwd, host)
  const found = file === null ? undefined : findConfig(resolve(cwd, flags.cwd?.texts.at(-1) ?? env['EVERYCORE_CWD'] ?? ''), host)
  if (found === undefined && only !== undefined) throw new EverycoreError('ERR_EVERYCORE_USAGE', `there is no config file that has an app ${only.join(', ')}`, { hint: 'Name it: everycore --config <file>' })
  return found
}
