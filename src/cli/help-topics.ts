import { ERROR_CODES, EverycoreError } from '../base/errors.ts'
import { EXIT } from '../base/exit-codes.ts'
import { nearest } from '../base/nearest.ts'
import { formatHelp, wrap } from './help.ts'
import { formatVerbHelp } from './verb-help.ts'
import { VERB_NAMES, verbOf } from './verbs.ts'

/** What each exit code means, for those who read scripts and logs. */
const MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'Stopped as asked, also after SIGTERM.',
  failure: 'Anything that has no code of its own.',
  usage: 'The command line or a setting is wrong; nothing was started.',
  neverReady: 'No worker became ready, or none could be kept; of a verb: no such app runs.',
  cannotLoad: 'The script could not be loaded: missing, unreadable, a syntax error, a throw while loading.',
  reloadFailed: 'A reload failed or was aborted: the old workers go on serving.',
  unreachable: 'The control socket cannot be reached, or does not answer.',
  interrupted: 'A second Ctrl-C, or one to a verb that waits (128 + SIGINT).',
  quit: 'SIGQUIT (128 + 3).',
}

const TOPICS = ['start', 'exit-codes'] as const

/**
 * The text of `everycore help [topic]`.
 *
 * @throws EverycoreError ERR_EVERYCORE_USAGE for an unknown topic.
 */
export function helpTopic(topic: string | undefined): string {
  if (topic === undefined || topic === 'start') return formatHelp()
  if (topic === 'exit-codes') return exitCodes()
  const name = verbOf(topic)
  if (name !== undefined) return formatVerbHelp(name)
  const meant = nearest(topic, [...TOPICS, ...VERB_NAMES])
  throw new EverycoreError('ERR_EVERYCORE_USAGE', `there is no help about ${topic}`, {
    hint: meant === undefined ? `The topics are: ${[...TOPICS, ...VERB_NAMES].join(', ')}.` : `Did you mean everycore help ${meant}?`,
  })
}

function exitCodes(): string {
  const lines = Object.entries(EXIT).flatMap(([name, exit]) => {
    const meaning = Object.entries(MEANINGS).find(([key]) => key === name)?.[1] ?? ''
    const errors = Object.entries(ERROR_CODES).filter(([, error]) => error.exit === exit)
    return [...hanging(String(exit).padEnd(6), meaning, 2), ...errors.flatMap(([code, { text }]) => hanging(`${code}  `, text, 8, 12))]
  })
  return ['Exit codes, and the error codes that end with them:', '', ...lines, ''].join('\n')
}

/** A label and a text; what does not fit beside the label is indented. */
function hanging(label: string, text: string, indent: number, rest = indent + label.length): readonly string[] {
  const [first = '', ...others] = wrap(label.replaceAll(' ', '\0') + text, indent)
  return [first.replaceAll('\0', ' '), ...(others.length === 0 ? [] : wrap(others.map((line) => line.trim()).join(' '), rest))]
}
