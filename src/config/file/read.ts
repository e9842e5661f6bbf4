/** Reads a config file: from its name to the apps in it. */
import { basename, dirname, extname, isAbsolute, relative } from 'node:path'
import { EverycoreError } from '../../base/errors.ts'
import type { Environment } from '../collect.ts'
import type { Host } from '../host.ts'
import { readMachine } from '../machine.ts'
import type { Converted } from '../pm2/convert.ts'
import { resolveSizing } from '../sizing.ts'
import { splitApps, type AppConfig } from './apps.ts'
import type { ConfigContext } from './define.ts'
import { parseJson } from './json.ts'
import { loadModule } from './load-module.ts'
import { isPm2File } from './names.ts'
import { requireTrusted } from './trusted.ts'

/** A config file that was read. */
export interface ConfigFile {
  /** Absolute. */
  readonly path: string
  /** How to call it: relative to the working directory where it lies below. */
  readonly file: string
  /** At least one; their names are unique, and only the one of a single app may be missing. */
  readonly apps: readonly AppConfig[]
}

/** What a config is read with. */
export interface ReadPorts {
  readonly mode: string
  /** The same, if somebody has named it. */
  readonly namedMode: string | undefined
  readonly env: Environment
  /** Where the command was called. */
  readonly cwd: string
  readonly host: Host
}

/**
 * Reads the file, and its apps.
 *
 * @param path absolute
 * @throws EverycoreError ERR_EVERYCORE_CONFIG when it cannot be loaded or trusted, ERR_EVERYCORE_SETTING when it has no such form.
 *   What is wrong with the settings of an app is kept with it, to be told together with all else.
 */
export async function readConfig(path: string, { mode, namedMode, env, cwd, host }: ReadPorts): Promise<ConfigFile> {
  const { file, given } = await evaluateFile(path, { mode, env, cwd, host })
  if (!isPm2File(path)) return { path, file, apps: splitApps(given, { file, directory: dirname(path) }) }
  const { fromPm2 } = await import('../pm2/convert.ts')
  return { path, file, apps: fromPm2(given, { file, directory: dirname(path), mode: namedMode }) }
}

/**
 * Reads a file of PM2, whatever it is called, one step less far: for what writes a config of everycore.
 *
 * @throws EverycoreError as {@link readConfig}
 */
export async function readPm2File(path: string, ports: Omit<ReadPorts, 'namedMode'>): Promise<{ readonly file: string; readonly apps: readonly Converted[] }> {
  const { file, given } = await evaluateFile(path, ports)
  const { convertPm2 } = await import('../pm2/convert.ts')
  return { file, apps: convertPm2(given, file) }
}

async function evaluateFile(path: string, { mode, env, cwd, host }: Omit<ReadPorts, 'namedMode'>): Promise<{ readonly file: string; readonly given: unknown }> {
  requireTrusted(path, host)
  const file = shownPath(path, cwd)
  const context: ConfigContext = { mode, cpus: resolveSizing({ kind: 'auto', asked: 'auto' }, readMachine(host)).auto, env }
  return { file, given: await evaluate(await load(path, file, host), file, path, context) }
}

/** Relative where that is shorter to read. */
export function shownPath(path: string, cwd: string): string {
  const short = relative(cwd, path)
  return short.startsWith('..') || isAbsolute(short) ? path : short
}

async function load(path: string, file: string, host: Host): Promise<unknown> {
  const extension = extname(path)
  if (extension === '.yml' || extension === '.yaml') {
    throw new EverycoreError('ERR_EVERYCORE_CONFIG', `cannot read ${file}: everycore reads no YAML`, { hint: `Make it JSON: npx -y js-yaml ${file} > ${basename(path, extension)}.json` })
  }
  if (extension !== '.json') return loadModule(path, file, host)
  const hint = isPm2File(path) ? `PM2 reads it as JavaScript. So can everycore: rename it to ${basename(path, extension)}.config.cjs, with "module.exports =" before it.` : undefined
  const parsed = parseJson(host.readFile(path), file, hint)
  return basename(path) === 'package.json' ? (parsed as { readonly everycore?: unknown }).everycore : parsed
}

/** A function is called with the context. */
async function evaluate(given: unknown, file: string, path: string, context: ConfigContext): Promise<unknown> {
  if (typeof given !== 'function') return given
  try {
    return (await given(context)) as unknown
  } catch (error) {
    const { loadError } = await import('./load-error.ts')
    throw loadError(error, path, file)
  }
}
