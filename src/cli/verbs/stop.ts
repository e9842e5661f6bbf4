/** `everycore stop`: ends an app. */
import { EXIT } from '../../base/exit-codes.ts'
import { removeDead } from '../../control/claim.ts'
import type { ControlEvent, StatusReport } from '../../protocol/control.ts'
import { isSet, printJson, type VerbCall } from './call.ts'
import { findApp } from './find-app.ts'
import { waitFor, type Watcher } from './waiting.ts'

/** From the last worker's end to that of the supervisor, which writes its last lines. */
const LAST_WORDS_MS = 5000
const LOOK_MS = 20

export async function runStop(verb: VerbCall): Promise<number> {
  const { path, name } = await findApp(verb, verb.args[0])
  const watcher = isSet(verb, 'json') ? undefined : watch(verb)
  const onInterrupt = `the stop goes on. everycore stop --force -n ${name} kills at once`
  const result = await waitFor(verb, { path, method: 'stop', body: { force: isSet(verb, 'force') }, onInterrupt, watcher })
  if (result === undefined) return EXIT.interrupted
  await untilGone(path)
  if (isSet(verb, 'json')) printJson(verb, result)
  else verb.streams.stdout.write(`${result.name} has stopped\n`)
  return EXIT.ok
}

function watch({ streams }: VerbCall): Watcher {
  const left = new Set<unknown>()
  return {
    take: ({ workers }: StatusReport) => {
      for (const { pid } of workers) left.add(pid)
    },
    note: ({ type, pid, slot }: ControlEvent) => {
      if (type === 'worker:exited' && left.delete(pid)) streams.stdout.write(`worker ${String(slot)} has left, ${left.size} to go\n`)
    },
  }
}

async function untilGone(path: string): Promise<void> {
  for (let waited = 0; waited < LAST_WORDS_MS; waited += LOOK_MS) {
    // oxlint-disable-next-line no-await-in-loop
    if (await removeDead(path)) return
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}
