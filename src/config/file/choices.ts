import { KINDS } from '../kinds.ts'
import type { Setting } from '../setting.ts'
import { SETTINGS, SETTING_KEYS, type SettingKey } from '../table.ts'

/** What the command is told about config files: which one, in which mode, which of its apps. No settings, so no keys of a config. */
export const CHOICES = {
  config: {
    flags: [
      { short: 'c', long: 'config', placeholder: 'file', help: 'The config file, or a file of PM2; without it everycore.config.* or package.json.' },
      { long: 'no-config', sets: '', help: 'No config file.' },
    ],
    variables: ['EVERYCORE_CONFIG'],
    kind: KINDS.path,
    default: { value: undefined, text: 'everycore.config.* up to the package root', reason: 'Where the tools of Node.js look for theirs.' },
    group: 'Config file',
  },
  mode: {
    flags: [
      { long: 'mode', placeholder: 'name', help: 'What a config that is a function gets as mode.' },
      { long: 'env', placeholder: 'name', help: 'The same; of a file of PM2 it takes env_<name>.' },
    ],
    variables: ['EVERYCORE_MODE'],
    kind: KINDS.name,
    default: { value: undefined, text: 'NODE_ENV, else production', reason: 'The app goes by it, too.' },
    group: 'Config file',
  },
  only: {
    flags: [{ long: 'only', placeholder: 'names', help: 'Of several apps in the config only these: api,web.' }],
    repeatable: true,
    variables: ['EVERYCORE_ONLY'],
    kind: KINDS.name,
    default: { value: undefined, text: 'all', reason: 'Who lists apps in one file wants them all.' },
    group: 'Config file',
  },
} as const satisfies Readonly<Record<string, Setting<string, undefined>>>

/** Name of a choice. */
export type ChoiceKey = keyof typeof CHOICES

/** Every {@link ChoiceKey}. */
export const CHOICE_KEYS: readonly ChoiceKey[] = ['config', 'mode', 'only']

/** Name of all that has a flag. */
export type ParameterKey = SettingKey | ChoiceKey

/** Every {@link ParameterKey}, in the order of the help. */
export const PARAMETER_KEYS: readonly ParameterKey[] = [...SETTING_KEYS, ...CHOICE_KEYS]

const PARAMETERS: Readonly<Record<ParameterKey, Setting<unknown, unknown>>> = { ...SETTINGS, ...CHOICES }

/** A setting or a choice, for code that treats all alike. */
export function parameterOf(key: ParameterKey): Setting<unknown, unknown> {
  return PARAMETERS[key]
}
