import type { Environment, Flags, FlagTexts } from '../config/collect.ts'
import type { Flag } from '../config/setting.ts'
import { SETTING_KEYS, settingOf, type SettingKey } from '../config/table.ts'
import { VERB_NAMES } from './verbs.ts'

/** The commands that stand beside the verbs; anything else in their place is a script for `start`. */
const COMMANDS = ['start', 'help'] as const

/** First words that are no script. */
export const FIRST_WORDS: readonly string[] = [...COMMANDS, ...VERB_NAMES]

/** What commander answers before any command. */
const TOP_FLAGS = new Set(['-h', '--help', '-V', '--version'])

/** A flag and the setting that it gives. */
export interface SettingFlag extends Flag {
  readonly key: SettingKey
}

/** Every flag of the table. */
export const FLAGS: readonly SettingFlag[] = SETTING_KEYS.flatMap((key) => settingOf(key).flags.map((flag) => ({ ...flag, key })))

/** Of `start`, and no setting: it says where the command runs, not what. */
export const DETACH: Flag = { short: 'd', long: 'detach', sets: 'true', help: 'Run in the background: return when all workers are ready, and log to a file.' }

/** The command line without {@link DETACH}, and whether that stood in it. */
export function withoutDetach(argv: readonly string[]): { readonly argv: readonly string[]; readonly isDetached: boolean } {
  const before = argv[0] === 'start' ? ['start'] : []
  const { head, tail } = splitAtScript(argv.slice(before.length))
  if (!head.some(isDetach)) return { argv, isDetached: false }
  return { argv: [...before, ...head.filter((part) => !isDetach(part)).flatMap(({ words }) => words.filter((word) => word !== undefined)), ...tail], isDetached: true }
}

function isDetach({ words: [word] }: HeadPart): boolean {
  return word === `-${DETACH.short}` || word === `--${DETACH.long}`
}

/** What the command line asks `start` for. */
export interface StartRequest {
  readonly script: string | undefined
  readonly args: readonly string[]
  readonly flags: Flags
}

/**
 * The request of a command line that leaves no question: `[start]`, flags spelt out, script, arguments. All
 * others (help, `-w2`, `-qv`, `--`, mistakes) are undefined here, and the parser's to judge. To load it takes
 * longer than all else that is done before the first worker starts, and most starts are plain.
 */
export function plainRequest(argv: readonly string[]): StartRequest | undefined {
  const { head, tail } = splitAtScript(argv[0] === 'start' ? argv.slice(1) : argv)
  const [script, ...args] = tail
  if (script === 'help' && argv[0] === script) return undefined
  if (script?.startsWith('-') === true) return undefined
  const flags = new FlagCollector()
  for (const { flag, words } of head) {
    const text = flag === undefined ? undefined : plainText(flag, words)
    if (flag === undefined || text === undefined) return undefined
    flags.add(flag, text)
  }
  return { script, args, flags: flags.flags }
}

/** Puts together what is given, several times or once. */
export class FlagCollector {
  readonly flags: { [Key in SettingKey]?: FlagTexts } = {}

  add({ key, long }: SettingFlag, text: string): void {
    this.flags[key] = { flag: `--${long}`, texts: [...(this.flags[key]?.texts ?? []), text] }
  }
}

/**
 * Arguments as the parser needs them: with the command named, because a default command would look for
 * `--help` among the arguments of the app, and with the value of a flag whose value may be left out, because
 * `--inspect server.js` must not take the script for a port.
 */
export function prepareArgv(argv: readonly string[]): readonly string[] {
  const [first] = argv
  const isNamed = first !== undefined && (TOP_FLAGS.has(first) || isCommand(first))
  const [verb = 'start', ...rest] = isNamed ? argv : ['start', ...argv]
  const { head, tail } = splitAtScript(rest)
  return [verb, ...head.flatMap(withValue), ...tail]
}

/** How the command line wants errors told; asked although, or because, its parsing failed. */
export interface OutputWish {
  readonly format: 'text' | 'json'
  /** Undefined: as the environment says. */
  readonly color: boolean | undefined
}

/** Looks for the flags that concern errors, and for nothing else. */
export function outputWish(argv: readonly string[], env: Environment): OutputWish {
  const { head } = splitAtScript(isCommand(argv[0]) ? argv.slice(1) : argv)
  const find = (...longs: readonly string[]) => head.findLast(({ flag }) => flag !== undefined && longs.includes(flag.long))
  const given = find('log-format')?.words
  const format = given === undefined ? env['EVERYCORE_LOG_FORMAT'] : (given[1] ?? given[0]?.split('=', 2)[1])
  const color = find('color', 'no-color')?.flag?.sets
  return { format: format === 'json' ? 'json' : 'text', color: color === undefined ? undefined : color === 'true' }
}

interface HeadPart {
  /** Undefined for what is not in the table. */
  readonly flag: SettingFlag | undefined
  /** The flag as written, and its value when that is a word of its own. */
  readonly words: readonly [string, string?]
}

/** Divides the words for everycore from the script and all that follows it. */
function splitAtScript(argv: readonly string[]): { readonly head: readonly HeadPart[]; readonly tail: readonly string[] } {
  const head: HeadPart[] = []
  let index = 0
  for (;;) {
    const word = argv[index]
    if (word === undefined || !word.startsWith('-') || word === '--' || word === '-') break
    const flag = FLAGS.find(({ short, long }) => word === `-${short}` || word === `--${long}` || word.startsWith(`--${long}=`))
    const value = argv[index + 1]
    const isPair = flag !== undefined && value !== undefined && takesNext(flag, word, value)
    head.push({ flag, words: isPair ? [word, value] : [word] })
    index += isPair ? 2 : 1
  }
  return { head, tail: argv.slice(index) }
}

function isCommand(word: string | undefined): boolean {
  return COMMANDS.some((command) => command === word)
}

function takesNext({ placeholder, sets }: Flag, word: string, next: string): boolean {
  if (placeholder === undefined || word.includes('=')) return false
  return sets === undefined || /^\d+$/.test(next)
}

/** The value, written or implied; undefined when it is missing, or is one too many. */
function plainText({ placeholder, sets }: Flag, [word, next]: HeadPart['words']): string | undefined {
  const at = word.indexOf('=')
  if (at === -1) return next ?? sets
  return placeholder === undefined ? undefined : word.slice(at + 1)
}

function withValue({ flag, words: [word, next] }: HeadPart): readonly string[] {
  const isBare = flag?.placeholder !== undefined && flag.sets !== undefined && next === undefined && !word.includes('=')
  if (isBare) return [`--${flag.long}=${flag.sets}`]
  return next === undefined ? [word] : [word, next]
}
