/** What a start would run with, for the verbs that start nothing. */
import { dryHost } from '../../config/dry-host.ts'
import { shownPath } from '../../config/file/read.ts'
import { nodeHost } from '../../config/host.ts'
import { resolveSettings } from '../../config/resolve.ts'
import type { Settings } from '../../config/types.ts'
import { readApps, settingsOfAll } from '../configured.ts'
import { locate } from '../locate.ts'
import type { VerbCall } from './call.ts'

/** The apps that a start would start. */
export interface Planned {
  /** The config file, as it is called in messages. */
  readonly file: string | undefined
  readonly apps: readonly Settings[]
}

/** @throws EverycoreError with all that is wrong with any of them */
export async function plan({ start, env, streams }: VerbCall): Promise<Planned> {
  const cwd = process.cwd()
  const host = dryHost(nodeHost())
  const { path, choice, request } = await locate(start ?? { script: undefined, args: [], flags: {} }, cwd, env, host)
  const { script, args, flags } = request
  if (path === undefined) return { file: undefined, apps: [resolveSettings({ flags, script, args, env, cwd, isTTY: streams.stdout.isTTY === true, host })] }
  const located = { path, choice, request, cwd }
  const asked = { env, streams, ports: { host: () => host } }
  const { apps } = await readApps(located, asked)
  return { file: shownPath(path, cwd), apps: settingsOfAll(located, apps, asked) }
}
