/** `everycore completion`: a script for a shell, on stdout. */
import { EverycoreError } from '../../base/errors.ts'
import { EXIT } from '../../base/exit-codes.ts'
import { CONTROL_SCHEMA } from '../../protocol/control.ts'
import { bashCompletion } from '../completion/bash.ts'
import { fishCompletion } from '../completion/fish.ts'
import { zshCompletion } from '../completion/zsh.ts'
import { isSet, printJson, type VerbCall } from './call.ts'

const SHELLS: Readonly<Record<string, () => string>> = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }

export async function runCompletion(verb: VerbCall): Promise<number> {
  const [shell = ''] = verb.args
  const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell]?.() : undefined
  if (script === undefined) throw new EverycoreError('ERR_EVERYCORE_USAGE', `there is no completion for ${JSON.stringify(shell)}`, { hint: `Use ${Object.keys(SHELLS).join(', ')}.` })
  if (isSet(verb, 'json')) printJson(verb, { schemaVersion: CONTROL_SCHEMA, shell, script })
  else verb.streams.stdout.write(script)
  return EXIT.ok
}
