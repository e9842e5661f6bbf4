/** The ways to spread connections over workers. Each is pure bookkeeping; `listen/primary/relay.ts` asks it. */
import type { WorkerLoad } from '../../protocol/messages.ts'

/** What counts of a worker's report. */
export type Load = Pick<WorkerLoad, 'open' | 'busy'> & Partial<Pick<WorkerLoad, 'inFlight' | 'lagMs'>>

export interface Strategy {
  /** Whether a connection waits for the chosen worker while others could have it at once. */
  readonly isPatient: boolean
  /** The worker takes connections from now on. */
  readonly join: (id: number) => void
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
  /** Who of those that fit should have the next connection. */
  readonly choose: (fits: (id: number) => boolean) => number | undefined
  /** To each worker how many connections it may have before it hands over; null: all. */
  readonly ceilings: () => ReadonlyMap<number, number | null>
}
