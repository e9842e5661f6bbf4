/** Asks for a change, and waits for its end as long as nobody presses Ctrl-C. */
import { EverycoreError } from '../../base/errors.ts'
import { call, follow, type Answers } from '../../control/client.ts'
import type { ControlEvent, StatusReport } from '../../protocol/control.ts'
import { isSet, type VerbCall } from './call.ts'

/** How often the requests that still drain are counted anew. */
const COUNT_MS = 500

export interface Watcher {
  readonly take: (report: StatusReport) => void
  readonly note: (event: ControlEvent) => void
}

export interface Change<Name extends 'reload' | 'restart' | 'scale' | 'stop'> {
  readonly path: string
  readonly method: Name
  readonly body: object
  /** What Ctrl-C says: what goes on without us. */
  readonly onInterrupt: string
  /** Undefined with `--json`. */
  readonly watcher: Watcher | undefined
}

/**
 * Returns the result; undefined when Ctrl-C ended the waiting.
 *
 * @throws EverycoreError what was answered; ERR_EVERYCORE_CONTROL when the supervisor ended first
 */
export async function waitFor<Name extends 'reload' | 'restart' | 'scale' | 'stop'>(verb: VerbCall, { path, method, body, onInterrupt, watcher }: Change<Name>): Promise<Answers[Name] | undefined> {
  const ending = new AbortController()
  let interrupt: (() => void) | undefined
  const interrupted = new Promise<'interrupted'>((resolve) => process.once('SIGINT', (interrupt = () => resolve('interrupted'))))
  const timer = watcher === undefined || verb.streams.stdout.isTTY !== true ? undefined : setInterval(() => void call(path, 'status').then((report) => watcher.take(report), () => {}), COUNT_MS)
  try {
    const answered = follow(path, method, body, (event) => tell(watcher, event), ending.signal)
    // Of the end that we make ourselves nobody is told.
    answered.catch(() => {})
    const first = await Promise.race([answered, interrupted])
    if (first === 'interrupted') {
      if (!isSet(verb, 'json')) verb.streams.stderr.write(`\n${onInterrupt}\n`)
      return undefined
    }
    if (first === undefined) throw new EverycoreError('ERR_EVERYCORE_CONTROL', `the supervisor ended before the ${method} was done`, { hint: 'its log tells why' })
    return first as Answers[Name]
  } finally {
    ending.abort()
    clearInterval(timer)
    if (interrupt !== undefined) process.off('SIGINT', interrupt)
  }
}

function tell(watcher: Watcher | undefined, event: ControlEvent): void {
  // The server sends the report under this name, and with all its fields.
  if (event.type === 'status') watcher?.take(event as unknown as StatusReport)
  else watcher?.note(event)
}
