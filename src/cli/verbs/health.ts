/** `everycore health`: whether an app can serve, as an exit code. */
import { EXIT } from '../../base/exit-codes.ts'
import { call } from '../../control/client.ts'
import { CONTROL_SCHEMA } from '../../protocol/control.ts'
import { isSet, printJson, type VerbCall } from './call.ts'
import { findApp } from './find-app.ts'

export async function runHealth(verb: VerbCall): Promise<number> {
  const { name, path } = await findApp(verb, verb.args[0])
  const { state, workers, verdict } = await call(path, 'status')
  const ready = workers.filter((worker) => worker.state === 'ready').length
  const isHealthy = ready > 0 && state !== 'stopping' && state !== 'stopped'
  if (isSet(verb, 'json')) printJson(verb, { schemaVersion: CONTROL_SCHEMA, name, healthy: isHealthy, verdict })
  else verb.streams.stdout.write(`${name}: ${verdict[0] ?? state}\n`)
  return isHealthy ? EXIT.ok : EXIT.failure
}
