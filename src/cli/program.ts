import { Command, Option } from 'commander'
import { VERSION } from '../base/version.ts'
import type { Flags, FlagTexts } from '../config/collect.ts'
import { SETTING_KEYS, settingOf, type Flag, type SettingKey } from '../config/table.ts'
import { formatHelp } from './help.ts'
import { helpTopic } from './help-topics.ts'

/** What the command line asks `start` for. */
export interface StartRequest {
  readonly script: string | undefined
  readonly args: readonly string[]
  readonly flags: Flags
}

/** What the parser calls. */
export interface ProgramPorts {
  /** Writes to stdout. */
  readonly print: (text: string) => void
  readonly start: (request: StartRequest) => Promise<void>
}

/** The parser. It throws commander's errors and never ends the process; help and version are printed, then thrown. */
export function buildProgram({ print, start }: ProgramPorts): Command {
  const program = quiet(new Command('everycore'), print).enablePositionalOptions().helpCommand(false)
  const flags: { [Key in SettingKey]?: FlagTexts } = {}
  const startCommand = quiet(program.command('start'), print)
    .passThroughOptions()
    .argument('[script]')
    .argument('[args...]')
    .action(async (script: string | undefined, args: readonly string[]) => start({ script, args, flags }))
  for (const key of SETTING_KEYS) {
    for (const flag of settingOf(key).flags) {
      addFlag(startCommand, flag, (name, text) => {
        flags[key] = { flag: name, texts: [...(flags[key]?.texts ?? []), text] }
      })
    }
  }
  quiet(program.command('help'), print)
    .argument('[topic]')
    .action((topic: string | undefined) => print(helpTopic(topic)))
  return program
}

function quiet(command: Command, print: (text: string) => void): Command {
  return command
    .version(`everycore ${VERSION}`, '-V, --version')
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: () => {} })
    .showSuggestionAfterError(false)
    .configureHelp({ formatHelp })
}

/** Listens instead of reading the result, which tells neither how often nor in which spelling a flag was given. */
function addFlag(command: Command, { short, long, placeholder, sets }: Flag, given: (name: string, text: string) => void): void {
  const value = placeholder === undefined ? '' : sets === undefined ? ` <${placeholder}>` : ` [${placeholder}]`
  command.addOption(new Option(`${short === undefined ? '' : `-${short}, `}--${long}${value}`))
  command.on(`option:${long}`, (text: string | null | undefined) => given(`--${long}`, text ?? sets ?? ''))
}
