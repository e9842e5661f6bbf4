/** A start with a config file: one app of it, or several. */
import { EverycoreError } from '../base/errors.ts'
import { nearest } from '../base/nearest.ts'
import type { AppConfig } from '../config/file/apps.ts'
import type { Choice } from '../config/file/choose.ts'
import { readConfig, type ConfigFile } from '../config/file/read.ts'
import { Problems } from '../config/problems.ts'
import { resolveSettings } from '../config/resolve.ts'
import type { Settings } from '../config/types.ts'
import type { StartRequest } from './argv.ts'
import type { Surroundings } from './surroundings.ts'

/** What is asked of the world to find settings. */
type Asked = Pick<Surroundings, 'env' | 'streams'> & { readonly ports: Pick<Surroundings['ports'], 'host'> }

/** A start, and the config file that holds for it. */
export interface ConfiguredStart {
  /** Absolute. */
  readonly path: string
  readonly choice: Choice
  readonly request: StartRequest
  /** Where the command was called. */
  readonly cwd: string
}

/** Returns the exit code when everything has ended. */
export async function runConfigured(start: ConfiguredStart, surroundings: Surroundings): Promise<number> {
  const { apps } = await readApps(start, surroundings)
  const [app] = apps
  if (apps.length > 1 || app === undefined) {
    refuseForSeveral(apps, start, surroundings)
    const settings = settingsOfAll(start, apps, surroundings)
    const { runSeveralApps, detachSeveralApps } = await import('./several-apps.ts')
    return (surroundings.isDetached ? detachSeveralApps : runSeveralApps)({ ...start, settings }, surroundings)
  }
  const only = app.name === undefined ? start.choice.only : [app.name]
  const again = async (): Promise<Settings> => settingsOf(start, theOne(await readApps({ ...start, choice: { ...start.choice, only } }, surroundings)), surroundings)
  return surroundings.ports.runStart(settingsOf(start, app, surroundings), again)
}

/** For a reload, which is that of one app. */
function theOne({ apps, file }: ConfigFile): AppConfig {
  const [app] = apps
  if (app !== undefined && apps.length === 1) return app
  throw new EverycoreError('ERR_EVERYCORE_CONFIG', `${file} has several apps now`, { hint: 'That takes a restart.' })
}

/** The config, with those of its apps that were asked for. @throws EverycoreError */
export async function readApps({ path, choice, cwd }: ConfiguredStart, { env, ports }: Asked): Promise<ConfigFile> {
  const config = await readConfig(path, { mode: choice.mode, namedMode: choice.namedMode, env, cwd, host: ports.host() })
  const { only } = choice
  if (only === undefined) return config
  const names = config.apps.flatMap(({ name }) => name ?? [])
  const unknown = only.find((name) => !names.includes(name))
  if (unknown === undefined) return { ...config, apps: config.apps.filter(({ name }) => name !== undefined && only.includes(name)) }
  const meant = nearest(unknown, names)
  const list = names.length === 0 ? 'Its app has no name.' : `It has: ${names.join(', ')}.`
  throw new EverycoreError('ERR_EVERYCORE_USAGE', `--only: there is no app ${unknown} in ${config.file}`, { hint: meant === undefined ? list : `Did you mean ${meant}? ${list}` })
}

/** @throws EverycoreError with all that is wrong with one app */
export function settingsOf({ request, cwd }: ConfiguredStart, app: AppConfig, { env, streams, ports }: Asked): Settings {
  const { flags, script, args } = request
  return resolveSettings({ flags, script, ...(args.length > 0 && { args }), config: app, env, cwd, isTTY: streams.stdout.isTTY === true, host: ports.host() })
}

/** @throws EverycoreError with all that is wrong with any of them, and what all have in common once */
export function settingsOfAll(start: ConfiguredStart, apps: readonly AppConfig[], asked: Asked): readonly Settings[] {
  const problems = new Problems()
  const told = new Set<string>()
  const settings = apps.flatMap((app) => {
    try {
      return settingsOf(start, app, asked)
    } catch (error) {
      if (!(error instanceof EverycoreError)) throw error
      const text = `${error.message}\n${error.why ?? ''}`
      if (!told.has(text)) problems.add(error)
      told.add(text)
      return []
    }
  })
  if (!problems.none) throw problems.toError()
  return settings
}

/** What can mean one app only. */
function refuseForSeveral(apps: readonly AppConfig[], { request }: ConfiguredStart, { env }: Surroundings): void {
  const names = apps.map(({ name }) => name).join(', ')
  const hint = 'Name one of them: --only api.'
  const flag = (['name', 'inspectPort'] as const).map((key) => request.flags[key]?.flag).find((given) => given !== undefined)
  if (request.script !== undefined) throw new EverycoreError('ERR_EVERYCORE_USAGE', `a script was named, and the config has several apps: ${names}`, { hint: `${hint} Or leave the config out: --no-config.` })
  if (flag !== undefined) throw new EverycoreError('ERR_EVERYCORE_USAGE', `${flag} cannot hold for several apps: ${names}`, { hint })
  if ((env['NOTIFY_SOCKET'] ?? '') !== '') {
    throw new EverycoreError('ERR_EVERYCORE_USAGE', `one service of systemd cannot speak for several apps: ${names}`, { why: 'NOTIFY_SOCKET is set, so that systemd waits for one of them to be ready.', hint: 'Give each app a unit, with --only and its name.' })
  }
}
