/** The parts of the manual that are made from the tables in `src/`, so that neither can say what the other does not. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ERROR_CODES } from '../../src/base/errors.ts'
import { EXIT } from '../../src/base/exit-codes.ts'
import { GROUPS, type Flag } from '../../src/config/setting.ts'
import { AT_RELOAD } from '../../src/config/changes.ts'
import { PARAMETER_KEYS, parameterOf, type ParameterKey } from '../../src/config/file/choices.ts'
import { configSchema } from '../../src/config/file/schema.ts'
import { PM2_KEYS } from '../../src/config/pm2/keys.ts'
import { isSettingKey, SETTING_KEYS, settingOf, type SettingKey } from '../../src/config/table.ts'
import { usageOf } from '../../src/cli/verb-help.ts'
import { COMMON_FLAGS, verb, VERB_NAMES, type VerbFlag, type VerbName } from '../../src/cli/verbs.ts'
import { METHOD_NAMES, methodOf } from '../../src/control/methods.ts'
import { FILES } from './generated-files.ts'
import { CATALOGUE, type Description } from '../../src/metrics/catalogue.ts'
import { ROOT } from './markdown.ts'

/** Page to the text between its marks. */
export const GENERATED: Readonly<Record<string, () => string>> = {
  'docs/options.md': optionReference,
  'docs/configuration.md': keyTable,
  'docs/from-pm2.md': pm2Table,
  'docs/environment.md': variableTable,
  'docs/exit-codes.md': exitCodeTable,
  'docs/errors.md': errorTable,
  'docs/commands.md': verbReference,
  'docs/control.md': methodTable,
  'docs/metrics.md': metricTable,
  ...FILES,
}

const BEGIN = '<!-- BEGIN generated -->'
const END = '<!-- END generated -->'

/** The page with the generated text between its marks. */
export function withGenerated(text: string, generated: string): string {
  const [before, rest, ...more] = text.split(BEGIN)
  const [, after, ...others] = rest?.split(END) ?? []
  if (before === undefined || after === undefined || more.length > 0 || others.length > 0) throw new Error(`the page needs ${BEGIN} and ${END}, once each`)
  return `${before}${BEGIN}\n\n${generated}\n\n${END}${after}`
}

/** What each exit code means, by the comment on it: the one place where it is written. */
export function exitMeanings(): ReadonlyMap<number, string> {
  const source = readFileSync(join(ROOT, 'src/base/exit-codes.ts'), 'utf8')
  return new Map([...source.matchAll(/\/\*\* (.+?) \*\/\n {2}\w+: (\d+),/g)].map(([, meaning = '', code]) => [Number(code), meaning]))
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`
}

const code = (text: string): string => `\`${text}\``

function spelling({ short, long, placeholder, sets }: Flag): string {
  const value = placeholder === undefined ? '' : sets === undefined ? ` <${placeholder}>` : ` [${placeholder}]`
  return `${short === undefined ? '' : `-${short}, `}--${long}${value}`
}

function optionReference(): string {
  return GROUPS.map((group) => {
    const keys = PARAMETER_KEYS.filter((key) => parameterOf(key).group === group)
    return [`## ${group}`, ...keys.map(optionSection)].join('\n\n')
  }).join('\n\n')
}

function optionSection(key: ParameterKey): string {
  const { flags, variables, kind, repeatable, default: fallback } = parameterOf(key)
  return [
    `### ${flags.map((flag) => `--${flag.long}`).join(', ')}`,
    '',
    ...flags.flatMap((flag) => [`${code(spelling(flag))}: ${flag.help}`, '']),
    `- Allowed: ${kind.allowed}.${repeatable === true ? ' May be given several times.' : ''}`,
    `- Default: ${fallback.text}. ${fallback.reason}`,
    `- Environment: ${variables.map(code).join(', ')}.`,
    ...(isSettingKey(key) ? [`- Library and config: ${code(key)}.`] : []),
  ].join('\n')
}

function variableTable(): string {
  const rows = PARAMETER_KEYS.flatMap((key) => {
    const { flags, variables, default: fallback } = parameterOf(key)
    const links = flags.map(({ long }) => code(`--${long}`)).join(', ')
    return variables.map((variable) => [code(variable), `[${links}](options.md#${flags.map(({ long }) => `--${long}`).join('-')})`, fallback.text])
  })
  return table(['variable', 'option', 'default'], rows)
}

function keyTable(): string {
  return table(['key', 'value', 'default', 'option', 'at a reload'], SETTING_KEYS.map((key) => {
    const { flags, default: fallback } = settingOf(key)
    return [code(key), typeWords(key), fallback.text, `[${flags.map(({ long }) => code(`--${long}`)).join(', ')}](options.md#${flags.map(({ long }) => `--${long}`).join('-')})`, AT_RELOAD.includes(key) ? 'yes' : '']
  }))
}

/** What the schema allows, in words. */
function typeWords(key: SettingKey): string {
  const { $defs } = configSchema() as { readonly $defs: { readonly app: { readonly properties: Readonly<Record<string, TypeSchema>> } } }
  const schema = $defs.app.properties[key] ?? {}
  const types = (schema.anyOf ?? [schema]).flatMap(({ type, enum: values, const: only }) => values?.map((value) => code(value)) ?? [only === undefined ? (TYPE_WORDS[type ?? ''] ?? type ?? '') : code(String(only))])
  const functions = key === 'balance' || key === 'sticky' ? ['function'] : []
  return [...new Set([...types, ...functions])].join(', ')
}

interface TypeSchema {
  readonly type?: string
  readonly anyOf?: readonly TypeSchema[]
  readonly enum?: readonly string[]
  readonly const?: number
}

const TYPE_WORDS: Readonly<Record<string, string>> = { array: 'list of texts', string: 'text', integer: 'number' }

function pm2Table(): string {
  const rows = Object.entries(PM2_KEYS).map(([key, { aliases, fate, becomes, text }]) => [[key, ...aliases].map(code).join(', '), fate, becomes.map(code).join(', '), `${text.charAt(0).toUpperCase()}${text.slice(1)}.`])
  return table(['key of PM2', 'fate', 'key of everycore', ''], rows)
}

function exitCodeTable(): string {
  const meanings = exitMeanings()
  const rows = Object.values(EXIT).map((exit) => {
    const codes = Object.entries(ERROR_CODES).filter(([, error]) => error.exit === exit)
    const links = codes.map(([name]) => `[${code(name)}](errors.md#${name.toLowerCase()})`)
    return [String(exit), meanings.get(exit) ?? '', links.join(', ')]
  })
  return table(['code', 'meaning', 'error codes'], rows)
}

function errorTable(): string {
  const rows = Object.entries(ERROR_CODES).map(([name, { exit, text }]) => [`[${code(name)}](#${name.toLowerCase()})`, String(exit), text])
  return table(['error code', 'exit code', 'meaning'], rows)
}

function verbReference(): string {
  return [...VERB_NAMES.map(verbSection), ['## Options of all', '', ...COMMON_FLAGS.map(flagLine)].join('\n')].join('\n\n')
}

function verbSection(name: VerbName): string {
  const { aliases, summary, about, args, flags, examples } = verb(name)
  return [
    `## ${name}`,
    '',
    `${code(usageOf(name))}${aliases.length === 0 ? '' : `; also ${aliases.map((alias) => code(`everycore ${alias}`)).join(', ')}`}`,
    '',
    summary,
    ...about.flatMap((paragraph) => ['', paragraph]),
    '',
    ...args.map(({ name: argument, help }) => `- ${code(argument)}: ${help}`),
    ...flags.map(flagLine),
    ...(args.length + flags.length === 0 ? [] : ['']),
    '```sh',
    ...examples.map(([line, meaning]) => (meaning === '' ? line : `${line.padEnd(40)} # ${meaning}`)),
    '```',
  ].join('\n')
}

function flagLine({ short, long, placeholder, help }: VerbFlag): string {
  return `- ${code(spelling({ long, help, ...(short !== undefined && { short }), ...(placeholder !== undefined && { placeholder }) }))}: ${help}`
}

function methodTable(): string {
  const answers = { once: 'a document', stream: 'events', either: 'a document, or events', bytes: 'a file', page: 'text' }
  const rows = METHOD_NAMES.map((name) => {
    const method = methodOf(name)
    const body = Object.entries({ ...method.query, ...method.body }).map(([field, allowed]) => `${code(field)}: ${allowed}`)
    return [code(`${method.verb} ${method.path}`), method.help, body.join('; '), answers[method.answers]]
  })
  return table(['method', 'what it does', 'body (GET: query)', 'answers'], rows)
}

function metricTable(): string {
  const rows = Object.entries<Description>(CATALOGUE).map(([name, { type, help, labels = [] }]) => [code(name), type, labels.map(code).join(', '), help])
  return table(['metric', 'type', 'labels', 'meaning'], rows)
}
