import { wrap } from './help.ts'
import { flagsOf, verb, type VerbFlag, type VerbName } from './verbs.ts'

/** Where the explanation of a flag or argument starts. */
const INDENT = 26

/** The usage of a verb in one line. */
export function usageOf(name: VerbName): string {
  const args = verb(name).args.map(({ name: argument, isOptional }) => (isOptional ? `[${argument}]` : `<${argument}>`))
  return ['everycore', name, '[options]', ...args].join(' ')
}

/** The help of one verb: usage, examples, arguments, options. */
export function formatVerbHelp(name: VerbName): string {
  const { aliases, summary, about, args, examples } = verb(name)
  return [
    `Usage: ${usageOf(name)}`,
    ...(aliases.length === 0 ? [] : [`       also: ${aliases.map((alias) => `everycore ${alias}`).join(', ')}`]),
    '',
    ...wrap(summary, 0),
    ...about.flatMap((paragraph) => ['', ...wrap(paragraph, 0)]),
    '',
    'Examples:',
    ...examples.map(([line, meaning]) => `  ${meaning === '' ? line : `${line.padEnd(36)} ${meaning}`}`),
    ...(args.length === 0 ? [] : ['', 'Arguments:', ...args.flatMap(({ name: argument, help }) => row(argument, help))]),
    '',
    'Options:',
    ...flagsOf(name).flatMap((flag) => row(spelling(flag), flag.help)),
    ...row('-h, --help', 'This help.'),
    '',
    'Exit codes: everycore help exit-codes',
    '',
  ].join('\n')
}

function row(label: string, help: string): readonly string[] {
  const [first = '', ...rest] = wrap(help, INDENT)
  return label.length + 3 > INDENT ? [`  ${label}`, first, ...rest] : [`  ${label.padEnd(INDENT - 2)}${first.trimStart()}`, ...rest]
}

function spelling({ short, long, placeholder }: VerbFlag): string {
  return `${short === undefined ? '    ' : `-${short}, `}--${long}${placeholder === undefined ? '' : ` <${placeholder}>`}`
}
