import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { collectValues, type Flags, type Values } from '../../config/collect.ts'
import type { Host } from '../../config/host.ts'
import { deriveName } from '../../config/name.ts'
import { Problems } from '../../config/problems.ts'
import { resolveCwd } from '../../config/resolve.ts'
import { findScript } from '../../config/script.ts'
import type { Workers } from '../../config/workers.ts'
import { LOCK_FILES, type Deployment, type GivenOption, type WantedWorkers } from '../../generate/deployment.ts'
import { FLAGS, type StartRequest } from '../argv.ts'

/** The file of this command. */
const OURS = join(import.meta.dirname, 'cli.cjs')

/**
 * What generators need to know of an app.
 *
 * @throws EverycoreError with all problems at once.
 */
export function deploymentOf({ script, args, flags }: StartRequest, cwd: string, host: Host): Deployment {
  const problems = new Problems()
  const values = collectValues({ flags, options: {}, env: {} }, problems)
  const directory = problems.attempt(() => resolveCwd(values, { cwd, host }))
  const found = directory === undefined ? undefined : problems.attempt(() => findScript(script, directory, host))
  if (directory === undefined || found === undefined || !problems.none) throw problems.toError()
  return {
    name: values.name.value ?? deriveName(found, directory, host),
    directory,
    script: found,
    args,
    options: givenOptions(flags),
    port: values.port.value,
    workers: wantedWorkers(values),
    maxMemory: values.maxMemory.value,
    user: text(values.uid.value),
    group: text(values.gid.value),
    changesUser: false,
    drainDelayMs: values.drainDelayMs.value,
    gracefulTimeoutMs: values.gracefulTimeoutMs.value,
    readyTimeoutMs: values.readyTimeoutMs.value,
    node: process.execPath,
    command: commandOf(directory),
    lockFile: LOCK_FILES.find((name) => host.stat(join(directory, name))?.kind === 'file'),
  }
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

/** In the spelling with which they were given, but for the directory, which every kind of file names in its own way. */
function givenOptions(flags: Flags): readonly GivenOption[] {
  return Object.entries(flags).flatMap(([key, { flag: spelling, texts }]) => {
    const flag = FLAGS.find(({ long }) => `--${long}` === spelling)
    if (key === 'cwd' || flag === undefined) return []
    const { placeholder, sets } = flag
    if (placeholder === undefined) return [{ key, words: [spelling] }]
    // With a value that may be left out, the next word would not be taken for it.
    return [{ key, words: texts.flatMap((value) => (sets === undefined ? [spelling, value] : [`${spelling}=${value}`])) }]
  })
}
