/** The sockets behind one address: one that all workers share, or one for each slot (`listen/primary/slot-sockets.ts`). */
import type { RawHandle } from './raw-handle.ts'

export interface AddressSockets {
  /** How many there are. */
  readonly count: number
  /** All of them, by slot; a shared one stands under 0. */
  readonly all: ReadonlyMap<number, RawHandle>
  /** The socket that the worker of a slot accepts from. */
  readonly enter: (worker: number, slot: number) => RawHandle
  /** The same again, while its server is open. */
  readonly of: (worker: number) => RawHandle | undefined
  /** Its server listens. */
  readonly listens: (worker: number) => void
  /** Its server is closed, or it is gone or told to go. */
  readonly leave: (worker: number) => void
  /** Gives them up, with what waits in their queues. */
  readonly close: () => void
}

/** One socket for all. */
export function sharedSocket(handle: RawHandle): AddressSockets {
  return { count: 1, all: new Map([[0, handle]]), enter: () => handle, of: () => handle, listens: () => {}, leave: () => {}, close: () => handle.close() }
}
