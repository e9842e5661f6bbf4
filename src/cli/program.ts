import type * as Commander from 'commander'
import { VERSION } from '../base/version.ts'
import { FlagCollector, FLAGS, prepareArgv, type SettingFlag, type StartRequest } from './argv.ts'
import { formatHelp } from './help.ts'
import { helpTopic } from './help-topics.ts'
import { toUsageError } from './usage-error.ts'

/**
 * Parses every command line; help and version are printed.
 *
 * @param print writes to stdout.
 * @returns undefined when nothing is to be started.
 * @throws EverycoreError ERR_EVERYCORE_USAGE
 */
export async function parseRequest(argv: readonly string[], print: (text: string) => void): Promise<StartRequest | undefined> {
  // Here, because only a command line that is not plain comes here.
  const commander = await import('commander')
  let request: StartRequest | undefined
  const program = buildProgram(commander, { print, start: (given) => void (request = given) })
  try {
    program.parse(prepareArgv(argv), { from: 'user' })
    return request
  } catch (error) {
    if (!(error instanceof commander.CommanderError)) throw error
    if (error.exitCode === 0) return undefined
    throw toUsageError(error)
  }
}

/** What the parser calls. */
interface ProgramPorts {
  readonly print: (text: string) => void
  readonly start: (request: StartRequest) => void
}

/** The parser. It throws commander's errors and never ends the process; help and version are printed, then thrown. */
function buildProgram({ Command, Option }: typeof Commander, { print, start }: ProgramPorts): Commander.Command {
  const program = quiet(new Command('everycore'), print).enablePositionalOptions().helpCommand(false)
  const collector = new FlagCollector()
  const startCommand = quiet(program.command('start'), print)
    .passThroughOptions()
    .argument('[script]')
    .argument('[args...]')
    .action((script: string | undefined, args: readonly string[]) => start({ script, args, flags: collector.flags }))
  for (const flag of FLAGS) {
    startCommand.addOption(new Option(spelling(flag)))
    // Listens instead of reading the result, which tells neither how often nor in which spelling a flag was given.
    startCommand.on(`option:${flag.long}`, (text: string | null | undefined) => collector.add(flag, text ?? flag.sets ?? ''))
  }
  quiet(program.command('help'), print)
    .argument('[topic]')
    .action((topic: string | undefined) => print(helpTopic(topic)))
  return program
}

function quiet(command: Commander.Command, print: (text: string) => void): Commander.Command {
  return command
    .version(`everycore ${VERSION}`, '-V, --version')
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: () => {} })
    .showSuggestionAfterError(false)
    .configureHelp({ formatHelp })
}

function spelling({ short, long, placeholder, sets }: SettingFlag): string {
  const value = placeholder === undefined ? '' : sets === undefined ? ` <${placeholder}>` : ` [${placeholder}]`
  return `${short === undefined ? '' : `-${short}, `}--${long}${value}`
}
