import type { CommanderError } from 'commander'
import { EverycoreError } from '../base/errors.ts'
import { nearest } from '../base/nearest.ts'
import { FLAGS } from './argv.ts'

/** Turns a complaint of the parser into our error, with the option that was probably meant. */
export function toUsageError(error: CommanderError): EverycoreError {
  const message = error.message.replace(/^error: /, '')
  const unknown = error.code === 'commander.unknownOption' ? /'([^']+)'$/.exec(message)?.[1] : undefined
  const hint = unknown === undefined ? 'everycore --help lists commands and options.' : hintFor(unknown)
  return new EverycoreError('ERR_EVERYCORE_USAGE', message, { hint, cause: error })
}

function hintFor(given: string): string {
  const flag = given.replace(/=.*$/s, '')
  const meant = nearest(flag, [...FLAGS.map(({ long }) => `--${long}`), '--help', '--version'])
  if (meant !== undefined && flag.startsWith('--')) return `Did you mean ${meant}?`
  if (process.allowedNodeEnvironmentFlags.has(flag)) return `That is an option of node: --node-args "${given}".`
  return 'everycore --help lists the options. Those of the app stand after the script.'
}
