/** `everycore reload`: new code without a gap. */
import { EXIT } from '../../base/exit-codes.ts'
import { formatDuration } from '../../base/units.ts'
import { call } from '../../control/client.ts'
import type { ReloadResult } from '../../protocol/control.ts'
import { isSet, printJson, type VerbCall } from './call.ts'
import { findApp } from './find-app.ts'
import { Progress } from './progress.ts'
import { waitFor } from './waiting.ts'

export async function runReload(verb: VerbCall): Promise<number> {
  const { path, name } = await findApp(verb, verb.args[0])
  if (isSet(verb, 'abort')) return abort(verb, path)
  const watcher = isSet(verb, 'json') ? undefined : new Progress(verb)
  const onInterrupt = `the reload goes on. everycore reload --abort -n ${name} turns it back`
  const result = await waitFor(verb, { path, method: 'reload', body: {}, onInterrupt, watcher })
  if (result === undefined) return EXIT.interrupted
  tellReplaced(verb, 'reloaded', result)
  return EXIT.ok
}

/** The last line of a reload or restart. */
export function tellReplaced(verb: VerbCall, done: string, result: ReloadResult): void {
  const { generation, tookMs, failedRequests } = result
  if (isSet(verb, 'json')) return printJson(verb, result)
  const failed = failedRequests === null ? 'requests of killed workers failed, how many is not known' : `${failedRequests} requests failed`
  verb.streams.stdout.write(`${done} to generation ${generation} in ${formatDuration(tookMs)}, ${failed}\n`)
}

async function abort(verb: VerbCall, path: string): Promise<number> {
  const answer = await call(path, 'abortReload')
  if (isSet(verb, 'json')) printJson(verb, answer)
  else verb.streams.stdout.write('the reload is aborted: the old workers go on serving\n')
  return EXIT.ok
}
