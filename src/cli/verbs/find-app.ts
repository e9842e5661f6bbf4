/** Which app a verb is about: by its name, or the only one that runs. */
import { basename, resolve } from 'node:path'
import { EverycoreError } from '../../base/errors.ts'
import { nearest } from '../../base/nearest.ts'
import { nodeHost } from '../../config/host.ts'
import { runtimeDirs } from '../../config/runtime-dir.ts'
import { removeDead } from '../../control/claim.ts'
import { socketPath, socketsIn } from '../../control/socket-path.ts'
import { textFlag, type VerbCall } from './call.ts'

/** Where a supervisor listens. */
export interface FoundApp {
  /** As its socket is called. */
  readonly name: string
  readonly path: string
}

/**
 * The app that is meant.
 *
 * @param argument the name, where the verb takes it as a word
 * @throws EverycoreError ERR_EVERYCORE_NOT_RUNNING, ERR_EVERYCORE_USAGE when several run and none is named
 */
export async function findApp(call: VerbCall, argument: string | undefined): Promise<FoundApp> {
  const name = nameOf(call, argument)
  const directories = directoriesOf(call)
  const apps = await runningIn(directories)
  if (name !== undefined) return named(name, directories, apps)
  const [only, ...others] = apps
  if (only === undefined) throw notRunning('no app runs', directories)
  if (others.length === 0) return only
  throw new EverycoreError('ERR_EVERYCORE_USAGE', `${apps.length} apps run: which one?`, { why: apps.map((app) => app.name).join(', '), hint: 'Say its name after the verb, or with -n.' })
}

/** Every app that runs here, by name. Sockets that dead ones have left are removed. */
export async function runningApps(call: VerbCall): Promise<readonly FoundApp[]> {
  return runningIn(directoriesOf(call))
}

function nameOf(call: VerbCall, argument: string | undefined): string | undefined {
  const flag = textFlag(call, 'name')
  if (flag !== undefined && argument !== undefined && flag !== argument) throw new EverycoreError('ERR_EVERYCORE_USAGE', `two names: ${argument} and ${flag}`)
  return flag ?? argument
}

function named(name: string, directories: readonly string[], apps: readonly FoundApp[]): FoundApp {
  const paths = directories.flatMap((directory) => socketPath(directory, name) ?? [])
  const found = apps.find(({ path }) => paths.includes(path))
  if (found !== undefined) return { ...found, name }
  const meant = nearest(name, apps.map((app) => app.name))
  throw notRunning(`${name} does not run`, directories, meant === undefined ? undefined : `Did you mean ${meant}?`)
}

function notRunning(message: string, directories: readonly string[], hint?: string): EverycoreError {
  return new EverycoreError('ERR_EVERYCORE_NOT_RUNNING', message, {
    why: directories.length === 0 ? 'there is no runtime directory of this user' : `looked in ${directories.join(', ')}`,
    hint: hint ?? 'everycore ls lists the apps of this user; --runtime-dir looks elsewhere.',
  })
}

/** One that was named is looked at as it is: whoever names it knows whose it is. */
function directoriesOf(call: VerbCall): readonly string[] {
  const given = textFlag(call, 'runtime-dir') ?? call.env['EVERYCORE_RUNTIME_DIR']?.trim()
  return given === undefined || given === '' ? runtimeDirs(call.env, nodeHost()) : [resolve(given)]
}

async function runningIn(directories: readonly string[]): Promise<readonly FoundApp[]> {
  const paths = directories.flatMap(socketsIn)
  const isDead = await Promise.all(paths.map(async (path) => removeDead(path).catch(() => false)))
  return paths.filter((_, index) => isDead[index] === false).map((path) => ({ name: basename(path, '.sock'), path }))
}
