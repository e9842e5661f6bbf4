import { EverycoreError } from '../../base/errors.ts'
import type { Environment, Flags } from '../collect.ts'
import { CHOICES, type ChoiceKey } from './choices.ts'

/** The choices of one command line. */
export interface Choice {
  /** As it was written; null: none is to be read, undefined: it is to be looked for. */
  readonly file: string | null | undefined
  readonly mode: string
  /** The same, if it was named; PM2 goes by nothing else. */
  readonly namedMode: string | undefined
  /** Undefined: all. */
  readonly only: readonly string[] | undefined
}

/**
 * Reads the flags and variables of {@link CHOICES}.
 *
 * @throws EverycoreError ERR_EVERYCORE_USAGE
 */
export function choose(flags: Flags, env: Environment): Choice {
  const given = (key: ChoiceKey): string | undefined => flags[key]?.texts.at(-1) ?? CHOICES[key].variables.map((name) => env[name]?.trim()).find((text) => text !== undefined && text !== '')
  const only = (flags.only?.texts ?? [given('only') ?? '']).flatMap((list) => list.split(',')).map((name) => name.trim()).filter((name) => name !== '')
  if (flags.only !== undefined && only.length === 0) throw new EverycoreError('ERR_EVERYCORE_USAGE', '--only names no app', { hint: 'everycore start --only api' })
  const file = given('config')
  if (file === '' && flags.config?.flag === '--config') throw new EverycoreError('ERR_EVERYCORE_USAGE', '--config names no file', { hint: 'everycore --config everycore.config.js' })
  const nodeEnv = env['NODE_ENV'] ?? ''
  return {
    file: file === '' ? null : file,
    namedMode: given('mode'),
    mode: given('mode') ?? (nodeEnv === '' ? 'production' : nodeEnv),
    only: only.length === 0 ? undefined : only,
  }
}
