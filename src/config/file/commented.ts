import { SETTING_KEYS, settingOf, type SettingKey } from '../table.ts'

/** A config file that says nothing and shows everything: each setting as a comment, with its default. */
export function commentedConfig(): string {
  return [
    "/** @type {import('everycore').UserConfig} */",
    'export default {',
    '  // The script to run, relative to this file.',
    "  // script: 'server.js',",
    '',
    '  // Variables for the app.',
    "  // env: { LOG_LEVEL: 'info' },",
    '',
    ...SETTING_KEYS.flatMap((key, index) => [...(index === 0 ? [] : ['']), ...linesOf(key)]),
    '}',
    '',
  ].join('\n')
}

function linesOf(key: SettingKey): readonly string[] {
  const { flags, default: fallback } = settingOf(key)
  const { value } = fallback
  const isPlain = ['string', 'number', 'boolean'].includes(typeof value) || Array.isArray(value)
  return [`  // ${flags[0]?.help ?? ''} Default: ${fallback.text}.`, isPlain ? `  // ${key}: ${typeof value === 'string' ? `'${value}'` : JSON.stringify(value)},` : `  // ${key}: ...`]
}
