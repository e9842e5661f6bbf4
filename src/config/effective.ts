/** The settings of a run for people: each value as one would write it, and where it came from. */
import { formatDuration, formatSize } from '../base/units.ts'
import { KINDS } from './kinds.ts'
import { masked } from './masked.ts'
import { SETTING_KEYS, settingOf, type SettingKey } from './table.ts'
import type { Origin, Settings } from './types.ts'

/** One setting of a run. */
export interface EffectiveSetting {
  readonly key: SettingKey
  /** As it could be written; what looks like a secret is left out. */
  readonly value: string
  readonly origin: Origin
  /** The flag, the variable, or the config file with the key; null for a default. */
  readonly from: string | null
}

/** Every setting, in the order of the table. No value of a variable of the app is among them. */
export function effectiveSettings(settings: Settings): readonly EffectiveSetting[] {
  return SETTING_KEYS.map((key) => {
    const found = settings.given[key]
    const origin = found?.origin ?? 'default'
    return { key, value: textOf(key, found?.value, settings), origin, from: origin === 'default' ? null : (found?.where.replace(/ \((?:flag|environment|option)\)$/, '') ?? null) }
  })
}

/** The settings of a run as a document of JSON. @param env of the process that was asked */
export function configDocument(settings: Settings, env: Readonly<Record<string, string | undefined>>): object {
  const { name, launch, sizing, warnings } = settings
  return {
    name,
    script: launch.script,
    args: masked(launch.args),
    variables: addedVariables(settings, env),
    size: sizing.size,
    settings: Object.fromEntries(effectiveSettings(settings).map(({ key, value, origin, from }) => [key, { value, origin, from }])),
    warnings: [...warnings, ...sizing.warnings],
  }
}

/** Names of the variables that a worker gets and this process has not, or has with another value. */
export function addedVariables({ launch }: Pick<Settings, 'launch'>, env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.keys(launch.env).filter((name) => launch.env[name] !== env[name]).sort()
}

function textOf(key: SettingKey, value: unknown, settings: Settings): string {
  const found = derived(settings)[key]
  if (found !== undefined) return found
  const { kind, default: fallback } = settingOf(key)
  if (value === undefined || value === fallback.value) return fallback.text
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'number') return textOfNumber(kind, value)
  if (Array.isArray(value)) return value.length === 0 ? fallback.text : masked(value.map(String)).join(' ')
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : textOfObject(key, value)
}

/** Where the default goes by the circumstances, or the value by the machine. */
function derived({ name, launch, sizing, logFormat, color, runtimeDir }: Settings): Readonly<Partial<Record<SettingKey, string>>> {
  return {
    workers: sizing.asked === String(sizing.size) ? sizing.asked : `${sizing.asked}: ${sizing.size}`,
    name,
    cwd: launch.cwd,
    logFormat,
    color: String(color),
    runtimeDir: runtimeDir ?? 'none',
  }
}

function textOfObject(key: SettingKey, value: unknown): string {
  const { isOn, tcp, by, name, count, percent, choose } = value as { readonly isOn?: boolean; readonly tcp?: { readonly host: string; readonly port: number }; readonly by?: string; readonly name?: string | null; readonly count?: number; readonly percent?: number; readonly choose?: unknown }
  if (isOn !== undefined) return tcp === undefined ? (isOn ? 'on' : 'off') : `${tcp.host}:${tcp.port}`
  if (choose !== undefined) return 'a function'
  if (by !== undefined) return name === null || name === undefined ? by : `${by}:${name}`
  if (count !== undefined) return String(count)
  return percent === undefined ? `${key}: ${JSON.stringify(value)}` : `${percent}%`
}

function textOfNumber(kind: unknown, value: number): string {
  if (kind === KINDS.size) return formatSize(value)
  return [KINDS.duration, KINDS.hangTimeout, KINDS.lifetime].some((known) => known === kind) ? formatDuration(value) : String(value)
}
