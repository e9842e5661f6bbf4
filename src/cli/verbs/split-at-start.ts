import { FLAGS, isFlag, takesNext } from '../argv.ts'
import { flagsOf, verb, type VerbName } from '../verbs.ts'

/** The words of a verb that takes a command line of `start`, divided. */
export interface Divided {
  /** Flags and arguments of the verb, and what is unknown. */
  readonly own: readonly string[]
  /** Options of `start`, script and arguments. */
  readonly start: readonly string[]
}

/**
 * Until the script, flags of both may stand in any order, each with its value. The first words that are none are the arguments of
 * the verb; the next is the script, and all that follows belongs to the app.
 */
export function splitAtStart(name: VerbName, words: readonly string[]): Divided {
  const own: string[] = []
  const start: string[] = []
  let missing = verb(name).args.length
  let index = 0
  while (index < words.length) {
    const word = words[index] ?? ''
    const isBare = !word.startsWith('-') || word === '-'
    if (word === '--' || (isBare && missing === 0)) break
    if (isBare) missing -= 1
    const ours = flagsOf(name).find((flag) => isFlag(flag, word))
    const theirs = ours === undefined ? FLAGS.find((flag) => isFlag(flag, word)) : undefined
    const flag = isBare ? undefined : (ours ?? theirs)
    const next = words[index + 1]
    const length = flag !== undefined && next !== undefined && takesNext(flag, word, next) ? 2 : 1
    ;(theirs === undefined || isBare ? own : start).push(...words.slice(index, index + length))
    index += length
  }
  return { own, start: [...start, ...words.slice(index)] }
}
