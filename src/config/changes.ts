import type { SettingKey } from './table.ts'
import type { Found, Settings } from './types.ts'

/** The settings that a new generation takes from the config as it is then. All others hold for the life of a supervisor. */
export const AT_RELOAD: readonly SettingKey[] = ['nodeArgs', 'inspectPort', 'port', 'cwd', 'envFiles', 'uid', 'gid']

/** A sentence about settings that have another value than at the start, and that a reload does not change; undefined when there are none. */
export function changedForRestart(before: Pick<Settings, 'given'>, now: Pick<Settings, 'given'>): string | undefined {
  const fixed = Object.keys(now.given).filter((key) => !AT_RELOAD.some((known) => known === key))
  const changed = fixed.filter((key) => textOf(before.given[key]) !== textOf(now.given[key]))
  if (changed.length === 0) return undefined
  return `${changed.join(', ')} ${changed.length === 1 ? 'has' : 'have'} changed, which takes a restart; the reload takes script, args, env, ${AT_RELOAD.join(', ')}`
}

/** A function is the same when its text is. */
function textOf(found: Found<unknown> | undefined): string {
  return JSON.stringify(found?.value, (_, value: unknown) => (typeof value === 'function' ? String(value) : value)) ?? 'undefined'
}
