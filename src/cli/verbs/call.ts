/** What a verb is called with. */
import type { Environment } from '../../config/collect.ts'
import type { Streams } from '../streams.ts'

/** The command line of a verb, parsed. */
export interface VerbCall {
  /** In the order of the table; undefined for one that was left out. */
  readonly args: readonly (string | undefined)[]
  /** By the long name: a text, or true for a flag without a value. */
  readonly flags: Readonly<Record<string, string | true | undefined>>
  readonly env: Environment
  readonly streams: Streams
  /** Whether to colour what goes to stdout. */
  readonly color: boolean
}

/** Does what a verb says; gives the exit code. @throws EverycoreError */
export type RunVerb = (call: VerbCall) => Promise<number>

/** A flag with a value. */
export function textFlag({ flags }: VerbCall, long: string): string | undefined {
  const value = flags[long]
  return typeof value === 'string' ? value : undefined
}

/** A flag without one. */
export function isSet({ flags }: VerbCall, long: string): boolean {
  return flags[long] !== undefined
}

/** One document on stdout. */
export function printJson({ streams }: VerbCall, document: object): void {
  streams.stdout.write(`${JSON.stringify(document)}\n`)
}
