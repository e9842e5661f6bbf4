/** The parts of the manual that are made from the tables in `src/`, so that neither can say what the other does not. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ERROR_CODES } from '../../src/base/errors.ts'
import { EXIT } from '../../src/base/exit-codes.ts'
import { GROUPS, type Flag } from '../../src/config/setting.ts'
import { SETTING_KEYS, settingOf, type SettingKey } from '../../src/config/table.ts'
import { usageOf } from '../../src/cli/verb-help.ts'
import { COMMON_FLAGS, verb, VERB_NAMES, type VerbFlag, type VerbName } from '../../src/cli/verbs.ts'
import { METHOD_NAMES, methodOf } from '../../src/control/methods.ts'
import { ROOT } from './markdown.ts'

/** Page to the text between its marks. */
export const GENERATED: Readonly<Record<string, () => string>> = {
  'docs/options.md': optionReference,
  'docs/environment.md': variableTable,
  'docs/exit-codes.md': exitCodeTable,
  'docs/errors.md': errorTable,
  'docs/commands.md': verbReference,
  'docs/control.md': methodTable,
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
    const keys = SETTING_KEYS.filter((key) => settingOf(key).group === group)
    return [`## ${group}`, ...keys.map(optionSection)].join('\n\n')
  }).join('\n\n')
}

function optionSection(key: SettingKey): string {
  const { flags, variables, kind, repeatable, default: fallback } = settingOf(key)
  return [
    `### ${flags.map((flag) => `--${flag.long}`).join(', ')}`,
    '',
    ...flags.flatMap((flag) => [`${code(spelling(flag))}: ${flag.help}`, '']),
    `- Allowed: ${kind.allowed}.${repeatable === true ? ' May be given several times.' : ''}`,
    `- Default: ${fallback.text}. ${fallback.reason}`,
    `- Environment: ${variables.map(code).join(', ')}.`,
    `- Library: ${code(key)}.`,
  ].join('\n')
}

function variableTable(): string {
  const rows = SETTING_KEYS.flatMap((key) => {
    const { flags, variables, default: fallback } = settingOf(key)
    const links = flags.map(({ long }) => code(`--${long}`)).join(', ')
    return variables.map((variable) => [code(variable), `[${links}](options.md#${flags.map(({ long }) => `--${long}`).join('-')})`, fallback.text])
  })
  return table(['variable', 'option', 'default'], rows)
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
  const answers = { once: 'a document', stream: 'events', either: 'a document, or events' }
  const rows = METHOD_NAMES.map((name) => {
    const method = methodOf(name)
    const body = Object.entries({ ...method.query, ...method.body }).map(([field, allowed]) => `${code(field)}: ${allowed}`)
    return [code(`${method.verb} ${method.path}`), method.help, body.join('; '), answers[method.answers]]
  })
  return table(['method', 'what it does', 'body (GET: query)', 'answers'], rows)
}
