/** What there is to complete, from the tables of verbs and settings; the shells differ only in how they are told. */
import type { Flag } from '../../config/setting.ts'
import { DETACH, FLAGS } from '../argv.ts'
import { TOPICS } from '../help-topics.ts'
import { flagsOf, verb, VERB_NAMES, type VerbArgument, type VerbFlag } from '../verbs.ts'

/** What may stand in one place: words, or what is found when it is asked for. */
export type Values = readonly string[] | 'apps' | 'files' | 'directories' | 'anything'

export interface CompletedFlag {
  /** With dashes, the short one first. */
  readonly spellings: readonly string[]
  readonly help: string
  /** Undefined: it has no value, or may go without one. */
  readonly values: Values | undefined
}

export interface CompletedCommand {
  readonly names: readonly string[]
  readonly help: string
  readonly flags: readonly CompletedFlag[]
  /** By their place. */
  readonly args: readonly { readonly name: string; readonly values: Values }[]
}

/** What is meant without a verb. */
export const START = 'start'

const HELP: CompletedFlag = { spellings: ['-h', '--help'], help: 'This help.', values: undefined }

/** Every first word and what follows it; the first is {@link START}. */
export function completedCommands(): readonly CompletedCommand[] {
  const verbs = VERB_NAMES.map((name): CompletedCommand => {
    const { aliases, summary, args } = verb(name)
    return { names: [name, ...aliases], help: summary, flags: [...flagsOf(name).map(verbFlag), HELP], args: args.map(argument) }
  })
  return [
    { names: [START], help: 'Runs a script on every core.', flags: [...FLAGS, DETACH].map(settingFlag).concat(HELP), args: [{ name: 'script', values: 'files' }] },
    ...verbs,
    { names: ['help'], help: 'Help about a verb, or about the exit codes.', flags: [], args: [{ name: 'topic', values: [...TOPICS, ...VERB_NAMES] }] },
  ]
}

function settingFlag({ short, long, placeholder, sets, help }: Flag): CompletedFlag {
  return { spellings: spellings(short, long), help, values: placeholder === undefined || sets !== undefined ? undefined : valuesOf(placeholder) }
}

function verbFlag({ short, long, placeholder, choices, help }: VerbFlag): CompletedFlag {
  const values = choices ?? (placeholder === 'name' ? 'apps' : placeholder && valuesOf(placeholder))
  return { spellings: spellings(short, long), help, values: values === '' ? undefined : values }
}

function argument({ name, choices }: VerbArgument): CompletedCommand['args'][number] {
  return { name, values: choices ?? (name === 'name' ? 'apps' : valuesOf(name)) }
}

function spellings(short: string | undefined, long: string): readonly string[] {
  return [...(short === undefined ? [] : [`-${short}`]), `--${long}`]
}

/** By what stands for the value in the help: `pretty|json|raw`, `file`, `dir`. */
function valuesOf(placeholder: string): Values {
  if (/\b(?:dir|directory)\b/.test(placeholder)) return 'directories'
  if (/\b(?:file|script|config)\b/.test(placeholder)) return 'files'
  const words = placeholder.split('|').filter((word) => /^[a-z][a-z-]+$/.test(word))
  return placeholder.includes('|') && words.length > 0 ? words : 'anything'
}
