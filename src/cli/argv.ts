import type { Environment } from '../config/collect.ts'
import { SETTING_KEYS, settingOf, type Flag } from '../config/table.ts'

/** The commands; anything else in their place is a script for `start`. */
export const VERBS = ['start', 'help'] as const

/** What commander answers before any command. */
const TOP_FLAGS = new Set(['-h', '--help', '-V', '--version'])

/** Every flag of the table. */
export const FLAGS: readonly Flag[] = SETTING_KEYS.flatMap((key) => settingOf(key).flags)

/**
 * Arguments as the parser needs them: with the command named, because a default command would look for
 * `--help` among the arguments of the app, and with the value of a flag whose value may be left out, because
 * `--inspect server.js` must not take the script for a port.
 */
export function prepareArgv(argv: readonly string[]): readonly string[] {
  const [first] = argv
  const isNamed = first !== undefined && (TOP_FLAGS.has(first) || isVerb(first))
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
  const { head } = splitAtScript(isVerb(argv[0]) ? argv.slice(1) : argv)
  const find = (...longs: readonly string[]) => head.findLast(({ flag }) => flag !== undefined && longs.includes(flag.long))
  const given = find('log-format')?.words
  const format = given === undefined ? env['EVERYCORE_LOG_FORMAT'] : (given[1] ?? given[0]?.split('=', 2)[1])
  const color = find('color', 'no-color')?.flag?.sets
  return { format: format === 'json' ? 'json' : 'text', color: color === undefined ? undefined : color === 'true' }
}

interface HeadPart {
  /** Undefined for what is not in the table. */
  readonly flag: Flag | undefined
  /** The flag as written, and its value when that is a word of its own. */
  readonly words: readonly string[]
}

/** Divides the words for everycore from the script and all that follows it. */
function splitAtScript(argv: readonly string[]): { readonly head: readonly HeadPart[]; readonly tail: readonly string[] } {
  const head: HeadPart[] = []
  let index = 0
  for (;;) {
    const word = argv[index]
    if (word === undefined || !word.startsWith('-') || word === '--' || word === '-') break
    const flag = FLAGS.find(({ short, long }) => word === `-${short}` || word === `--${long}` || word.startsWith(`--${long}=`))
    const length = flag !== undefined && takesNext(flag, word, argv[index + 1]) ? 2 : 1
    head.push({ flag, words: argv.slice(index, index + length) })
    index += length
  }
  return { head, tail: argv.slice(index) }
}

function isVerb(word: string | undefined): boolean {
  return VERBS.some((verb) => verb === word)
}

function takesNext({ placeholder, sets }: Flag, word: string, next: string | undefined): boolean {
  if (placeholder === undefined || word.includes('=') || next === undefined) return false
  return sets === undefined || /^\d+$/.test(next)
}

function withValue({ flag, words }: HeadPart): readonly string[] {
  const isBare = flag?.placeholder !== undefined && flag.sets !== undefined && words.length === 1 && words[0]?.includes('=') === false
  return isBare ? [`--${flag.long}=${flag.sets}`] : words
}
