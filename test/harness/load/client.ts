/** What every client of a load has. */
import type { Accounts } from './accounts.ts'
import type { Door } from './connection.ts'
import type { Random } from './seed.ts'

export interface ClientContext {
  /** Its kind: part of the ids of its requests. */
  readonly kind: string
  readonly door: Door
  /** The port for HTTP/2 over TLS. */
  readonly http2Port: number
  readonly random: Random
  readonly accounts: Accounts
  readonly patienceMs: number
  /** True when no more requests are wanted. */
  readonly isOver: () => boolean
  /** A pause, shorter when the load ends. */
  readonly pause: (ms: number) => Promise<void>
  /** Resolves with the next announced drain, or with the end of the load: in how many ms it is. */
  readonly nextDrain: () => Promise<number>
}

/** Asks until the load is over. */
export type Client = (context: ClientContext) => Promise<void>
