/** One of several apps of a config, from within: the process that starts them is its parent. The parent's side is `several-apps.ts`. */
import type { Supervisor } from '../primary/supervisor.ts'

/** The pid of the parent, which is so only for its own children. */
export const PARENT_VARIABLE = 'EVERYCORE_PARENT'

/** True in a supervisor that was started as one of several. */
export function isOneOfSeveral(env: Readonly<Record<string, string | undefined>>, ppid: number): boolean {
  return env[PARENT_VARIABLE] === String(ppid)
}

/**
 * Tells the parent that signals have their meaning now, and stops when it is gone. To be called after the handlers
 * are installed.
 *
 * @returns what lets this process end
 */
export function followParent(supervisor: Supervisor): () => void {
  if (!process.connected) {
    void supervisor.stop()
    return () => {}
  }
  const onDisconnect = (): void => void supervisor.stop()
  process.on('disconnect', onDisconnect)
  process.send?.('listening to signals')
  return () => {
    process.off('disconnect', onDisconnect)
    if (process.connected) process.disconnect()
  }
}
