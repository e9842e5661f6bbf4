/** From a file of PM2 to the apps of a config. */
import { basename, extname } from 'node:path'
import { nearest } from '../../base/nearest.ts'
import type { EverycoreError } from '../../base/errors.ts'
import { appOf, isObject, type AppConfig, type Origins } from '../file/apps.ts'
import { settingError } from '../problems.ts'
import { PM2_KEYS, pm2Key } from './keys.ts'
import { nodeArgsOf, scriptProblem, textsIn, wordsOf, workersOf, type Pm2Values } from './values.ts'

/** An app of PM2 in the words of everycore. */
export interface Converted {
  readonly name: string
  /** Without `env_*`. */
  readonly values: Readonly<Record<string, unknown>>
  /** The variables of `env_<mode>`, by mode. */
  readonly modes: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** The key of PM2 that a value came from. */
  readonly from: Readonly<Record<string, string>>
  /** What was left out and why: sentences. */
  readonly notes: readonly string[]
  /** What cannot be run at all. */
  readonly problems: readonly EverycoreError[]
}

/** What signal an app was written for: PM2's. */
const PM2_SIGNAL = 'SIGINT'

/**
 * The apps of an ecosystem file.
 *
 * @param mode of `--env`; undefined: none was named, then `env_*` stay out
 * @throws EverycoreError ERR_EVERYCORE_SETTING when it has no apps
 */
export function fromPm2(given: unknown, { file, directory, mode }: Origins & { readonly mode: string | undefined }): readonly AppConfig[] {
  const converted = convertPm2(given, file)
  return converted.map(({ name: plain, values, modes, from, notes, problems }) => {
    const variables = mode === undefined ? undefined : modes[mode]
    const name = mode !== undefined && from['name'] === 'append_env_to_name' ? `${plain}-${mode}` : plain
    const env = variables === undefined ? {} : { env: { ...(isObject(values['env']) ? values['env'] : {}), ...variables } }
    const app = appOf({ ...values, name, ...env }, { file, directory, name: converted.length === 1 ? undefined : name })
    const unknownMode = mode === undefined || variables !== undefined || Object.keys(modes).length === 0 ? [] : [`${file}: ${plain} has no env_${mode}`]
    return {
      ...app,
      where: (key: string) => `${from[key] ?? key} of ${name} (${file})`,
      problems: [...problems, ...app.problems],
      warnings: [...notes.map((note) => `${file}: ${converted.length === 1 ? '' : `${name}: `}${note}`), ...unknownMode],
    }
  })
}

/** The same, one step before: for what writes a config of everycore. @throws EverycoreError ERR_EVERYCORE_SETTING */
export function convertPm2(given: unknown, file: string): readonly Converted[] {
  const apps = isObject(given) ? (given['apps'] ?? (given['script'] === undefined && given['exec'] === undefined ? undefined : given)) : given
  const list = Array.isArray(apps) ? (apps as readonly unknown[]) : isObject(apps) ? [apps] : []
  if (list.length === 0 || !list.every(isObject)) throw settingError(`${file} has no list of apps`, 'A file of PM2 is module.exports = { apps: [{ script: "server.js" }] }.')
  const names = new Map<string, number>()
  return list.map((app) => {
    const converted = convertApp(app, file)
    const count = (names.get(converted.name) ?? 0) + 1
    names.set(converted.name, count)
    return count === 1 ? converted : { ...converted, name: `${converted.name}-${count}` }
  })
}

function convertApp(app: Pm2Values, file: string): Converted {
  const given = canonical(app)
  const values: Record<string, unknown> = {}
  const from: Record<string, string> = {}
  const set = (key: string, pm2: string, value: unknown): void => {
    values[key] = value
    from[key] = pm2
  }
  const copy = (key: string, pm2: string): void => {
    if (given[pm2] !== undefined) set(key, pm2, given[pm2])
  }
  for (const [key, pm2] of [['script', 'script'], ['cwd', 'cwd'], ['port', 'port'], ['waitReady', 'wait_ready'], ['readyTimeoutMs', 'listen_timeout'], ['gracefulTimeoutMs', 'kill_timeout'], ['maxMemory', 'max_memory_restart'], ['uid', 'uid'], ['gid', 'gid']] as const) copy(key, pm2)
  if (given['args'] !== undefined) set('args', 'args', wordsOf(given['args']))
  const nodeArgs = nodeArgsOf(given)
  if (nodeArgs.length > 0) set('nodeArgs', 'node_args', nodeArgs)
  if (given['env'] !== undefined) set('env', 'env', isObject(given['env']) ? textsIn(given['env']) : given['env'])
  if (given['log_type'] === 'json') set('logFormat', 'log_type', 'json')
  for (const [key, [pm2, value]] of Object.entries(logFilesOf(given))) set(key, pm2, value)
  set('workers', given['instances'] === undefined ? 'exec_mode' : 'instances', workersOf(given))
  set('killSignal', 'script', PM2_SIGNAL)
  if (given['append_env_to_name'] === true) from['name'] = 'append_env_to_name'
  const problem = scriptProblem(given, file)
  return { name: nameOf(given), values, from, modes: modesOf(app), notes: [...notesOn(given), ...unknownKeys(app)], problems: problem === undefined ? [] : [problem] }
}

/** By key of everycore: PM2's key and its value. */
function logFilesOf({ out_file: out, error_file: error, log_file: both }: Pm2Values): Readonly<Record<string, readonly [string, unknown]>> {
  if (isAsked(out)) return { logFile: ['out_file', out], ...(isAsked(error) && error !== out && { errorFile: ['error_file', error] as const }) }
  return isAsked(both) ? { logFile: ['log_file', both] } : {}
}

/** Every key by the name that it stands under in the table. The table's own spelling wins. */
function canonical(app: Pm2Values): Pm2Values {
  const entries = Object.entries(app).flatMap(([key, value]) => {
    const found = key.startsWith('env_') ? undefined : pm2Key(key)
    return found === undefined || (found[0] !== key && app[found[0]] !== undefined) ? [] : [[found[0], value] as const]
  })
  return Object.fromEntries(entries)
}

function modesOf(app: Pm2Values): Converted['modes'] {
  return Object.fromEntries(Object.entries(app).flatMap(([key, value]) => (key.startsWith('env_') && isObject(value) ? [[key.slice('env_'.length), textsIn(value)]] : [])))
}

/** PM2 calls an app by its script when nobody has named it. */
function nameOf({ name, name_prefix: prefix, script }: Pm2Values): string {
  const plain = typeof name === 'string' || typeof name === 'number' ? String(name) : typeof script === 'string' ? basename(script, extname(script)) : 'app'
  const clean = `${typeof prefix === 'string' ? prefix : ''}${plain}`.replaceAll(/[^a-zA-Z0-9._-]+/g, '-').replaceAll(/^[-.]+|[-.]+$/g, '').slice(0, 64)
  return clean === '' ? 'app' : clean
}

/** What is given and does not come along. Where PM2's own default is given, nothing is lost. */
function notesOn(given: Pm2Values): readonly string[] {
  const left = Object.entries(PM2_KEYS).flatMap(([key, { fate, text }]) => (fate === 'missing' && isAsked(given[key]) ? [`${key} is left out: ${text}`] : []))
  const instances = Number(given['instances'])
  const isFork = typeof given['exec_mode'] === 'string' && given['exec_mode'].startsWith('fork')
  const { out_file: out, error_file: error, log_file: both } = given
  return [
    ...left,
    ...(isAsked(error) && !isAsked(out) ? ['error_file is left out: it takes an out_file'] : []),
    ...(isAsked(both) && isAsked(out) ? ['log_file is left out: the output is in out_file'] : []),
    ...(given['autorestart'] === false ? ['autorestart: false is left out: everycore replaces workers that end; a program that ends by itself is no server'] : []),
    ...(given['autostart'] === false ? ['autostart: false is left out: --only names the apps that are to start'] : []),
    ...(given['treekill'] === false ? ['treekill: false is left out: a worker that is killed takes its children along'] : []),
    ...(typeof given['instance_var'] === 'string' && given['instance_var'] !== 'NODE_APP_INSTANCE' ? [`instance_var is left out: read NODE_APP_INSTANCE or EVERYCORE_SLOT instead of ${given['instance_var']}`] : []),
    ...(isFork && (instances > 1 || instances < 0 || given['instances'] === 'max' || given['instances'] === 0) ? ['exec_mode: fork with several instances: here the workers share their sockets, as in exec_mode: cluster'] : []),
  ]
}

function isAsked(value: unknown): boolean {
  return value !== undefined && value !== false && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0)
}

function unknownKeys(app: Pm2Values): readonly string[] {
  const names = Object.entries(PM2_KEYS).flatMap(([key, { aliases }]) => [key, ...aliases])
  return Object.keys(app).flatMap((key) => {
    if (pm2Key(key) !== undefined) return []
    const meant = nearest(key, names)
    return [`${key} is left out: PM2 documents no such key${meant === undefined ? '' : ` (${meant}?)`}`]
  })
}
