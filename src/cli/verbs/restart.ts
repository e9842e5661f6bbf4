/** `everycore restart`: all workers at once, with a gap. */
import { EXIT } from '../../base/exit-codes.ts'
import { isSet, type VerbCall } from './call.ts'
import { findApp } from './find-app.ts'
import { Progress } from './progress.ts'
import { tellReplaced } from './reload.ts'
import { waitFor } from './waiting.ts'

export async function runRestart(verb: VerbCall): Promise<number> {
  const { path } = await findApp(verb, verb.args[0])
  const watcher = isSet(verb, 'json') ? undefined : new Progress(verb)
  const result = await waitFor(verb, { path, method: 'restart', body: {}, onInterrupt: 'the restart goes on', watcher })
  if (result === undefined) return EXIT.interrupted
  tellReplaced(verb, 'restarted', result)
  return EXIT.ok
}
