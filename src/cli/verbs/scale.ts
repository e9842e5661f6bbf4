/** `everycore scale`: another number of workers. */
import { EverycoreError } from '../../base/errors.ts'
import { EXIT } from '../../base/exit-codes.ts'
import { MAX_WORKERS } from '../../config/workers.ts'
import { isSet, printJson, type VerbCall } from './call.ts'
import { findApp } from './find-app.ts'
import { waitFor } from './waiting.ts'

export async function runScale(verb: VerbCall): Promise<number> {
  const [size = '', name] = verb.args
  const target = targetOf(size)
  const { path } = await findApp(verb, name)
  const result = await waitFor(verb, { path, method: 'scale', body: { size: target }, onInterrupt: 'the scaling goes on', watcher: undefined })
  if (result === undefined) return EXIT.interrupted
  const workers = `${result.size} ${result.size === 1 ? 'worker' : 'workers'}`
  if (isSet(verb, 'json')) printJson(verb, result)
  else verb.streams.stdout.write(result.from === result.size ? `${workers}, as before\n` : `scaled from ${result.from} to ${workers}\n`)
  return EXIT.ok
}

function targetOf(text: string): number | string {
  if (text === 'auto' || text === '+1' || text === '-1') return text
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_WORKERS) return Number(text)
  throw new EverycoreError('ERR_EVERYCORE_USAGE', `${JSON.stringify(text)} is no number of workers`, { hint: `Use 1 to ${MAX_WORKERS}, +1, -1 or auto.` })
}
