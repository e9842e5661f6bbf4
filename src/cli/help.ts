import { GROUPS, type Flag } from '../config/setting.ts'
import { SETTING_KEYS, settingOf } from '../config/table.ts'
import { DETACH } from './argv.ts'
import { verb, VERB_NAMES, type VerbName } from './verbs.ts'

const WIDTH = 80
/** Where the explanation of an option starts. */
const INDENT = 8
/** And that of a verb. */
const VERB_INDENT = 24

const EXAMPLES = [
  ['everycore server.js', 'one worker per core'],
  ['everycore -w 4 -p 3000 server.js', 'four workers, PORT=3000'],
  ['everycore server.js --verbose -w 9', 'these options are those of the app'],
  ['everycore -e .env --node-args "--import ./otel.mjs" dist/server.js', ''],
  ['everycore', 'finds dist/server.js, server.js, …'],
] as const

/** The help of the command: usage, examples, then every setting of the table with default and variables. */
export function formatHelp(): string {
  return [
    'Usage: everycore [start] [options] <script> [args...]',
    '',
    ...wrap('Runs an unmodified Node.js server on every core, and keeps it up. Everything after the script belongs to the app.', 0),
    '',
    'Examples:',
    ...EXAMPLES.map(([line, meaning]) => `  ${meaning === '' ? line : `${line.padEnd(36)} ${meaning}`}`),
    ...GROUPS.flatMap((group) => ['', `${group}:`, ...SETTING_KEYS.filter((key) => settingOf(key).group === group).flatMap(settingLines), ...(group === 'System' ? flagLines(DETACH) : [])]),
    '',
    'Running apps:',
    ...VERB_NAMES.flatMap(verbLines),
    '',
    'More:',
    '  everycore help <verb>',
    '  -h, --help       This help.',
    '  -V, --version    The version.',
    '  everycore help exit-codes',
    '',
    ...wrap('A flag wins over a variable. Times: 30s, 1m, 500ms; a bare number is seconds.', 0),
    '',
  ].join('\n')
}

/** Breaks a text into lines of at most 80 columns, each indented. */
export function wrap(text: string, indent: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && indent + longer.length > WIDTH) {
      lines.push(line)
      line = word
    } else {
      line = longer
    }
  }
  return [...lines, line].map((content) => ' '.repeat(indent) + content)
}

function settingLines(key: (typeof SETTING_KEYS)[number]): readonly string[] {
  const { flags, variables, default: fallback } = settingOf(key)
  const origins = [`[default: ${fallback.text}]`, `[env: ${variables.join(', ')}]`]
  const isShort = origins.join(' ').length + INDENT <= WIDTH
  return [
    ...flags.flatMap(flagLines),
    ...(isShort ? [origins.join(' ')] : origins).flatMap((origin) => wrap(origin, INDENT)),
  ]
}

function flagLines(flag: Flag): readonly string[] {
  return [`  ${spelling(flag)}`, ...wrap(flag.help, INDENT)]
}

/** The name of each stands before its summary. */
function verbLines(name: VerbName): readonly string[] {
  const [first = '', ...rest] = wrap(verb(name).summary, VERB_INDENT)
  return [`  everycore ${name}`.padEnd(VERB_INDENT) + first.trimStart(), ...rest]
}

function spelling({ short, long, placeholder, sets }: Flag): string {
  const value = placeholder === undefined ? '' : sets === undefined ? ` <${placeholder}>` : ` [${placeholder}]`
  return `${short === undefined ? '    ' : `-${short}, `}--${long}${value}`
}
