/** A config of everycore, as text, from what a file of PM2 came to. */
import type { Converted } from './convert.ts'

/** @param file of PM2, for the first line */
export function writeMigrated(apps: readonly Converted[], file: string): string {
  const usesMode = apps.some(({ modes }) => Object.keys(modes).length > 0)
  const [only] = apps
  const body = apps.length === 1 && only !== undefined ? appText(only, '') : ['{', '  apps: [', ...apps.flatMap((app) => withComma(appText(app, '    '))), '  ],', '}']
  const [head = '', ...rest] = body
  return [
    `// Made from ${file}. everycore check tells whether a start would find all in order.`,
    ...(usesMode ? ['/** @type {import(\'everycore\').ConfigExport} */', `export default ({ mode }) => (${head}`] : ['/** @type {import(\'everycore\').UserConfig} */', `export default ${head}`]),
    ...rest.slice(0, -1),
    usesMode ? `${rest.at(-1) ?? ''})` : (rest.at(-1) ?? ''),
    '',
  ].join('\n')
}

function appText({ name, values, modes, notes, problems }: Converted, indent: string): readonly string[] {
  const inner = `${indent}  `
  const { env, ...others } = values
  const comments = [...problems.map(({ message, hint }) => [message, hint].filter(Boolean).join(' ')), ...notes]
  return [
    `${indent}{`,
    ...comments.map((text) => `${inner}// ${oneLine(text)}`),
    `${inner}name: ${literal(name)},`,
    ...Object.entries(others).map(([key, value]) => `${inner}${key}: ${literal(value)},${remark(key)}`),
    ...(env === undefined && Object.keys(modes).length === 0 ? [] : [`${inner}env: {`, ...variables(env, `${inner}  `), ...Object.entries(modes).map(([mode, own]) => `${inner}  ...(mode === ${literal(mode)} && ${literal(own)}),`), `${inner}},`]),
    `${indent}}`,
  ]
}

function variables(env: unknown, indent: string): readonly string[] {
  return typeof env === 'object' && env !== null ? Object.entries(env).map(([name, value]) => `${indent}${literal(name)}: ${literal(value)},`) : []
}

/** Why a value is there that nobody wrote. */
function remark(key: string): string {
  return key === 'killSignal' ? ' // what PM2 sends; without it SIGTERM' : ''
}

function withComma(lines: readonly string[]): readonly string[] {
  return [...lines.slice(0, -1), `${lines.at(-1) ?? ''},`]
}

/** JSON is JavaScript. */
function literal(value: unknown): string {
  return JSON.stringify(value) ?? 'undefined'
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}
