/** The ways to spread connections over workers. Each is pure bookkeeping; `listen/primary/relay.ts` asks it. */
import type { WorkerLoad } from '../../protocol/messages.ts'

/** Longest wait for an answer. Long enough for a process that only waits for a core, short for a person. */
export const STALL_MS = 200

/** What counts of a worker's report. */
export type Load = Pick<WorkerLoad, 'open' | 'busy'> & Partial<Pick<WorkerLoad, 'inFlight' | 'lagMs'>>

export interface Strategy {
  /** Whether a connection waits for the chosen worker while others could have it at once. */
  readonly isPatient: boolean
  /** How long a worker may leave a question unanswered before it counts as stalled. */
  readonly stallMs: number
  /** The worker takes connections from now on. */
  readonly join: (id: number, slot: number) => void
  /** It takes no more. */
  readonly leave: (id: number) => void
  readonly report: (id: number, load: Load) => void
  /** The number alone, as of now. */
  readonly reportOpen: (id: number, open: number) => void
  /** What a worker said a while ago: newer reports may have overtaken it. */
  readonly reportAtLeast: (id: number, open: number) => void
  /** A connection is on its way to the worker. */
  readonly sent: (id: number) => void
  /** It has arrived, or will not; the report that belongs to the arrival comes with it. */
  readonly settled: (id: number) => void
  /** Does it answer? One that does not gets nothing. */
  readonly setStalled: (id: number, stalled: boolean) => void
  /** It takes nothing for now, and says so itself. */
  readonly setFull: (id: number, full: boolean) => void
  /** Who of those that fit should have the next connection. `pin`: the client's key, where the client counts. */
  readonly choose: (fits: (id: number) => boolean, pin?: number) => number | undefined
  /** To each worker how many connections it may have before it hands over; null: all. */
  readonly ceilings: () => ReadonlyMap<number, number | null>
  /** The same for clients that belong to it, where clients count. */
  readonly pinnedCeiling?: () => number
  /** Who has which slot, where that counts. */
  readonly seats?: () => readonly { readonly slot: number; readonly id: number }[]
}
