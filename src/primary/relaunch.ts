/** What a reload finds when it reads anew what is to be run. */
import { EverycoreError } from '../base/errors.ts'
import type { Launch } from '../config/types.ts'
import type { Logger } from '../logs/logs.ts'

/**
 * Reads it, at once where no config file is to be read, and tells in the log when it is not fit to be run.
 *
 * @throws EverycoreError ERR_EVERYCORE_RELOAD
 */
export function relaunch(read: () => Launch | Promise<Launch>, log: Logger, onRefused: (why: string) => void): Launch | Promise<Launch> {
  const refuse = (cause: unknown): never => {
    const why = cause instanceof EverycoreError ? [cause.message, cause.why].filter(Boolean).join(': ') : String(cause)
    log.error(`the reload was refused: ${why}; the workers go on serving`, { event: 'reload:refused', code: 'ERR_EVERYCORE_RELOAD' })
    onRefused(why)
    throw new EverycoreError('ERR_EVERYCORE_RELOAD', 'the reload was refused', { why, hint: 'the workers go on serving; mend it and reload again', cause })
  }
  try {
    const launch = read()
    return launch instanceof Promise ? launch.catch(refuse) : launch
  } catch (cause) {
    return refuse(cause)
  }
}
