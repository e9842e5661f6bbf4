/** The parser of the verbs, made from their table. */
import { Command, CommanderError, Option } from 'commander'
import { EverycoreError } from '../../base/errors.ts'
import { nearest } from '../../base/nearest.ts'
import { VERSION } from '../../base/version.ts'
import { formatVerbHelp } from '../verb-help.ts'
import { flagsOf, verb, verbOf, type VerbFlag, type VerbName } from '../verbs.ts'
import type { VerbCall } from './call.ts'

export interface ParsedVerb extends Pick<VerbCall, 'args' | 'flags'> {
  readonly verb: VerbName
}

/**
 * Parses the command line of a verb; help and version are printed.
 *
 * @param argv its first word is a verb.
 * @returns undefined when nothing else is to be done.
 * @throws EverycoreError ERR_EVERYCORE_USAGE
 */
export async function parseVerb([word, ...rest]: readonly string[], print: (text: string) => void): Promise<ParsedVerb | undefined> {
  const name = verbOf(word)
  if (name === undefined) throw new EverycoreError('ERR_EVERYCORE_INTERNAL', `${word} is no verb`)
  const command = new Command(name)
    .version(`everycore ${VERSION}`, '-V, --version')
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: () => {} })
    .showSuggestionAfterError(false)
    .configureHelp({ formatHelp: () => formatVerbHelp(name) })
    .allowExcessArguments(false)
  for (const { name: argument, isOptional } of verb(name).args) command.argument(isOptional ? `[${argument}]` : `<${argument}>`)
  const flags: Record<string, string | true> = {}
  for (const flag of flagsOf(name)) {
    command.addOption(new Option(spellingOf(flag)))
    command.on(`option:${flag.long}`, (text: string | null | undefined) => void (flags[flag.long] = text ?? true))
  }
  let args: readonly (string | undefined)[] = []
  command.action((...given: unknown[]) => void (args = given.slice(0, verb(name).args.length).map(withSign)))
  try {
    command.parse(withoutSigns(rest), { from: 'user' })
    return { verb: name, args, flags }
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return undefined
    throw usageError(error, name)
  }
}

/** In the place of the sign of `-1`, which is a number and no flag; no word of a command line has it. */
const MINUS = '\0minus '

function withoutSigns(argv: readonly string[]): string[] {
  return argv.map((word) => word.replace(/^-(?=\d+$)/, MINUS))
}

function withSign(word: unknown): string | undefined {
  return typeof word === 'string' ? word.replace(MINUS, '-') : undefined
}

/** As the help writes it. */
export function spellingOf({ short, long, placeholder }: VerbFlag): string {
  return `${short === undefined ? '' : `-${short}, `}--${long}${placeholder === undefined ? '' : ` <${placeholder}>`}`
}

function usageError(error: CommanderError, name: VerbName): EverycoreError {
  const message = error.message.replace(/^error: /, '')
  const unknown = error.code === 'commander.unknownOption' ? /'([^']+)'$/.exec(message)?.[1] : undefined
  const meant = unknown === undefined ? undefined : nearest(unknown.replace(/=.*$/s, ''), [...flagsOf(name).map(({ long }) => `--${long}`), '--help', '--version'])
  const hint = meant === undefined ? `everycore ${name} --help tells what it takes.` : `Did you mean ${meant}?`
  return new EverycoreError('ERR_EVERYCORE_USAGE', message, { hint, cause: error })
}
