/** What a supervisor is given besides its settings. */
import type { Launch } from '../config/types.ts'
import type { Inherited } from '../listen/primary/inherited.ts'
import type { Logs } from '../logs/logs.ts'

/** What may differ between runs besides the settings. */
export interface SupervisorContext {
  readonly logs: Logs
  readonly inherited: Inherited
  /** Of the supervisor before this one. */
  readonly stickySecret: string | undefined
  /** Leave the sockets to node:cluster. */
  readonly viaCluster: boolean
  /** How many workers the machine gives now, by what was asked for, or by `auto`; undefined where that was a number. */
  readonly derivedSize: (asked?: 'auto') => number | undefined
  /** Finds out anew what is to be run. @throws EverycoreError with all that is wrong */
  readonly relaunch: () => Launch
}

export interface StopOptions {
  /** Kill at once instead of draining. */
  readonly force?: boolean
  /** How long idle keep-alive connections may stay, in ms. Default: the setting. A later call does not change it: workers that drain have their order. */
  readonly lingerMs?: number
  /** The longest time over which WebSockets are closed, in ms. Default and later calls: as with `lingerMs`. */
  readonly closeSpreadMs?: number
  /** How long all goes on before workers drain, in ms. Default: the setting. A later call does not change it. */
  readonly delayMs?: number
}
