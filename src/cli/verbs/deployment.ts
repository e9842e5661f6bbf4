import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { EverycoreError } from '../../base/errors.ts'
import { resolveBases } from '../../config/bases.ts'
import { collectValues, type Flags, type Values } from '../../config/collect.ts'
import type { AppConfig } from '../../config/file/apps.ts'
import type { ConfigFile } from '../../config/file/read.ts'
import type { Host } from '../../config/host.ts'
import { deriveName } from '../../config/name.ts'
import { Problems } from '../../config/problems.ts'
import { readStartOptions } from '../../config/options.ts'
import { scriptOf } from '../../config/resolve.ts'
import type { Workers } from '../../config/workers.ts'
import { LOCK_FILES, type Deployment, type GivenOption, type WantedWorkers } from '../../generate/deployment.ts'
import { FLAGS, type StartRequest } from '../argv.ts'
import { readApps } from '../configured.ts'
import { locate } from '../locate.ts'
import type { VerbCall } from './call.ts'

/** The file of this command. */
const OURS = join(import.meta.dirname, 'cli.cjs')

/**
 * What generators need to know of an app. The variables of this shell do not count: the service will not have them.
 *
 * @throws EverycoreError with all problems at once.
 */
export async function deploymentOf(given: StartRequest, streams: VerbCall['streams'], host: Host): Promise<Deployment> {
  const cwd = process.cwd()
  const { path, choice, request } = await locate(given, cwd, {}, host)
  const app = path === undefined ? undefined : theOne(await readApps({ path, choice, request, cwd }, { env: {}, streams, ports: { host: () => host } }))
  const problems = new Problems()
  for (const problem of app?.problems ?? []) problems.add(problem)
  const values = collectValues({ flags: request.flags, options: {}, config: app, env: {} }, problems)
  const bases = problems.attempt(() => resolveBases(values.cwd, cwd, app?.directory, host))
  const start = readStartOptions(app ?? { values: {}, where: (key) => key }, problems)
  const script = bases === undefined ? undefined : problems.attempt(() => scriptOf({ script: request.script, config: app, host }, start.script, bases))
  if (bases === undefined || script === undefined || !problems.none) throw problems.toError()
  return {
    name: values.name.value ?? deriveName(script, bases.cwd, host),
    directory: bases.cwd,
    script,
    config: path,
    isConfigured: request.script === undefined && start.script !== undefined,
    args: request.args,
    options: givenOptions(request.flags),
    port: values.port.value,
    workers: wantedWorkers(values),
    maxMemory: values.maxMemory.value,
    user: text(values.uid.value),
    group: text(values.gid.value),
    changesUser: values.uid.origin === 'config' || values.gid.origin === 'config',
    drainDelayMs: values.drainDelayMs.value,
    gracefulTimeoutMs: values.gracefulTimeoutMs.value,
    readyTimeoutMs: values.readyTimeoutMs.value,
    node: process.execPath,
    command: commandOf(bases.cwd),
    lockFile: LOCK_FILES.find((name) => host.stat(join(bases.cwd, name))?.kind === 'file'),
  }
}

function theOne({ apps, file }: ConfigFile): AppConfig {
  const [app] = apps
  if (app !== undefined && apps.length === 1) return app
  throw new EverycoreError('ERR_EVERYCORE_USAGE', `${file} has several apps: ${apps.map(({ name }) => name).join(', ')}`, { hint: 'Files are made for one of them: --only and its name.' })
}

/** The one that is installed with the app, by its name there: a package manager may keep it behind a link that names a version. */
function commandOf(directory: string): string {
  const installed = join(directory, 'node_modules/everycore/dist/cli.cjs')
  return existsSync(installed) ? installed : OURS
}

function wantedWorkers({ workers }: Values): WantedWorkers {
  const { kind, ...rest }: Workers = workers.value
  if (workers.origin === 'default') return undefined
  return kind === 'count' && 'count' in rest ? { kind, count: rest.count } : { kind: 'by-machine' }
}

function text(value: string | number | undefined): string | undefined {
  return value === undefined ? undefined : String(value)
}

/** In the spelling with which they were given, but for the directory and the config file, which every kind of file names in its own way. */
function givenOptions(flags: Flags): readonly GivenOption[] {
  return Object.entries(flags).flatMap(([key, { flag: spelling, texts }]) => {
    const flag = FLAGS.find(({ long }) => `--${long}` === spelling)
    if (key === 'cwd' || spelling === '--config' || flag === undefined) return []
    const { placeholder, sets } = flag
    if (placeholder === undefined) return [{ key, words: [spelling] }]
    // With a value that may be left out, the next word would not be taken for it.
    return [{ key, words: texts.flatMap((value) => (sets === undefined ? [spelling, value] : [`${spelling}=${value}`])) }]
  })
}
