import * as v from 'valibot'
import { nearest } from '../base/nearest.ts'
import { CHOICES, type ChoiceKey } from './file/choices.ts'
import type { TextSource } from './kinds.ts'
import type { Problems } from './problems.ts'
import { SETTING_KEYS, settingOf, type SettingKey, type SettingValue } from './table.ts'
import type { Found } from './types.ts'

/** Environment variables as Node gives them. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The flags of one setting as they were written. */
export interface FlagTexts {
  /** As the operator knows it: `--workers`. */
  readonly flag: string
  readonly texts: readonly string[]
}

/** What the command line gave, by setting; and what it says of config files. */
export type Flags = Readonly<Partial<Record<SettingKey | ChoiceKey, FlagTexts>>>

/** Every setting: the given value, else the default. */
export type Values = { readonly [K in SettingKey]: Found<SettingValue<K>> }

/** The places that values are looked for in. */
export interface Given {
  readonly flags: Flags
  readonly options: Readonly<Record<string, unknown>>
  /** Of a config file. */
  readonly config?: Named | undefined
  readonly env: Environment
}

/**
 * Finds every setting: flag, then option, then config, then environment, then default. A wrong value is noted among
 * the problems and the default stands in for it.
 */
export function collectValues(given: Given, problems: Problems): Values {
  const entries = SETTING_KEYS.map((key) => [key, collectValue(key, given, problems)] as const)
  // Every key has the type that its kind has judged, which fromEntries cannot tell.
  return Object.fromEntries(entries) as Values
}

/** Values by key, and what to call them in messages. */
export interface Named {
  readonly values: Readonly<Record<string, unknown>>
  readonly where: (key: string) => string
}

const PREFIX = 'EVERYCORE_'

/** Sentences about variables that look like a setting and are none. */
export function misspeltVariables(env: Environment): readonly string[] {
  const known = [...SETTING_KEYS.map(settingOf), ...Object.values(CHOICES)].flatMap(({ variables }) => variables).filter((variable) => variable.startsWith(PREFIX))
  const names = known.map((variable) => variable.replace(PREFIX, ''))
  return Object.keys(env).flatMap((variable) => {
    if (!variable.startsWith(PREFIX) || known.includes(variable)) return []
    const meant = nearest(variable.slice(PREFIX.length), names)
    return meant === undefined ? [] : [`${variable} is not a setting; ${PREFIX}${meant} is.`]
  })
}

function collectValue(key: SettingKey, given: Given, problems: Problems): Found<unknown> {
  const { kind, default: fallback } = settingOf(key)
  const found = findRaw(key, given)
  if (found === undefined) return { value: fallback.value, origin: 'default', where: `${key} (default)` }
  const parsed = v.safeParse(kind.schema, found.value)
  if (parsed.success) return { ...found, value: parsed.output }
  problems.addSetting(`${found.where}: ${found.written} is not ${kind.allowed}`)
  return { ...found, value: fallback.value }
}

function findRaw(key: SettingKey, { flags, options, config, env }: Given): (Found<unknown> & { readonly written: string }) | undefined {
  const { kind, variables } = settingOf(key)
  const read = (texts: readonly string[], source: TextSource) => ({
    value: kind.read(texts, source),
    origin: source,
    written: texts.map((text) => JSON.stringify(text)).join(' '),
  })
  const flag = flags[key]
  if (flag !== undefined) return { ...read(flag.texts, 'flag'), where: `${flag.flag} (flag)` }
  const option = Object.hasOwn(options, key) ? options[key] : undefined
  if (option !== undefined) return { value: option, origin: 'option', written: show(option), where: `${key} (option)` }
  const configured = config !== undefined && Object.hasOwn(config.values, key) ? config.values[key] : undefined
  if (config !== undefined && configured !== undefined) return { value: configured, origin: 'config', written: show(configured), where: config.where(key) }
  // An empty variable is how a compose file or a shell says "not set".
  const variable = variables.find((name) => (env[name] ?? '').trim() !== '')
  if (variable === undefined) return undefined
  return { ...read([env[variable] ?? ''], 'environment'), where: `${variable} (environment)` }
}

function show(value: unknown): string {
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function') return `a ${typeof value}`
  if (typeof value === 'number') return String(value)
  try {
    return JSON.stringify(value).slice(0, 100)
  } catch {
    return 'an object'
  }
}
