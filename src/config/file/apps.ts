/** From the value of a config file to its apps. */
import type { EverycoreError } from '../../base/errors.ts'
import { nearest } from '../../base/nearest.ts'
import { Problems, settingError } from '../problems.ts'
import { SETTING_KEYS, settingOf } from '../table.ts'

/** One app of a config file, its keys known, its values not yet judged. */
export interface AppConfig {
  /** Undefined: it will be derived as without a file. */
  readonly name: string | undefined
  readonly values: Readonly<Record<string, unknown>>
  /** Absolute; paths are relative to it. */
  readonly directory: string
  /** Names a value for messages: `workers (everycore.config.js)`, `workers of api (everycore.config.js)`. */
  readonly where: (key: string) => string
  /** What is wrong with its keys. */
  readonly problems: readonly EverycoreError[]
  /** Sentences for the operator. */
  readonly warnings: readonly string[]
}

/** Where the value comes from. */
export interface Origins {
  /** As it is called in messages. */
  readonly file: string
  readonly directory: string
}

/** Keys of an app that are no settings of the table. */
export const START_KEYS = ['script', 'args', 'env'] as const
/** Keys of the file itself. */
export const FILE_KEYS = ['apps', '$schema'] as const

type Values = Readonly<Record<string, unknown>>

/**
 * Divides a config into its apps.
 *
 * @throws EverycoreError ERR_EVERYCORE_SETTING with all that is wrong with the form
 */
export function splitApps(given: unknown, origins: Origins): readonly AppConfig[] {
  const { file } = origins
  if (!isObject(given)) throw settingError(`${file} exports ${wordFor(given)} and not an object`, 'Export an object such as { script: "server.js", workers: 4 }, or a function that returns one.')
  const { apps, $schema: _, ...common } = given
  if (apps === undefined) return [appOf(common, { ...origins, name: undefined })]
  const problems = new Problems()
  if (!Array.isArray(apps) || apps.length === 0) throw settingError(`apps (${file}) is not a list of apps`, 'apps: [{ name: "api", script: "api.js" }]')
  if (common['name'] !== undefined) problems.addSetting(`name (${file}) stands beside apps: each app has its own`)
  const objects = apps.map((app: unknown, index) => {
    if (isObject(app)) return app
    problems.addSetting(`apps[${index}] (${file}) is ${wordFor(app)} and not an object`)
    return {}
  })
  requireNames(objects, file, problems)
  if (!problems.none) throw problems.toError()
  return objects.map((app) => appOf(merge(common, app), { ...origins, name: apps.length === 1 ? undefined : String(app['name']) }))
}

function requireNames(apps: readonly Values[], file: string, problems: Problems): void {
  if (apps.length < 2) return
  const seen = new Set<unknown>()
  for (const [index, { name }] of apps.entries()) {
    if (name === undefined) problems.addSetting(`apps[${index}] (${file}) has no name`, 'Several apps are told apart by their names.')
    else if (seen.has(name)) problems.addSetting(`two apps in ${file} have the name ${JSON.stringify(name)}`, 'Give each its own.')
    seen.add(name)
  }
}

/** What is common, and over it what the app says; variables one by one. */
function merge(common: Values, app: Values): Values {
  const env = isObject(common['env']) && isObject(app['env']) ? { env: { ...common['env'], ...app['env'] } } : {}
  return { ...common, ...app, ...env }
}

/** @param name of one among several */
export function appOf(values: Values, { file, directory, name }: Origins & { readonly name: string | undefined }): AppConfig {
  const own = values['name']
  return {
    name: typeof own === 'string' ? own : undefined,
    values: { ...values, ...(isObject(values['env']) && { env: textsOf(values['env']) }) },
    directory,
    where: (key) => (name === undefined ? `${key} (${file})` : `${key} of ${name} (${file})`),
    problems: Object.keys(values).flatMap((key) => unknownKey(key, file, name)),
    warnings: [],
  }
}

function unknownKey(key: string, file: string, name: string | undefined): readonly EverycoreError[] {
  const known: readonly string[] = [...SETTING_KEYS, ...START_KEYS]
  if (known.includes(key)) return []
  const meant = keyOfFlag(key) ?? nearest(key, [...known, ...(name === undefined ? FILE_KEYS : [])])
  const hint = meant === undefined ? 'docs/configuration.md lists the keys.' : `Did you mean "${meant}"?`
  return [settingError(`unknown key "${key}"${name === undefined ? '' : ` of ${name}`} in ${file}`, key.startsWith('env_') ? 'A config that is a function gets the mode: export default ({ mode }) => ({ env: ... }).' : hint)]
}

/** `graceful-timeout`, `gracefulTimeout` and `instances` are no keys, but it is known what they mean. */
function keyOfFlag(key: string): string | undefined {
  const long = key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll('_', '-')
  if (long === 'instances') return 'workers'
  return SETTING_KEYS.find((setting) => settingOf(setting).flags.some((flag) => flag.long === long))
}

/** Numbers and booleans as text, null as undefined, which removes a variable. All else is judged later. */
function textsOf(env: Values): Values {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, typeof value === 'number' || typeof value === 'boolean' ? String(value) : (value ?? undefined)]))
}

function wordFor(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`
}

/** An object that is no list. */
export function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
