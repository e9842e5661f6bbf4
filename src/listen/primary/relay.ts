/**
 * Carries a connection from the worker that accepted it to the one that should have it. The primary
 * keeps its copy of the handle until the target says that it has the connection: if the target refuses
 * or dies before, another worker gets it. It never reads from a connection.
 */
import type { RawHandle } from '../raw-handle.ts'
import type { Balance } from './balance.ts'

/** How the relay reaches workers. */
export interface RelayPorts {
  /** Sends a connection; false when the worker cannot be reached. `must`: take it even in a drain. */
  readonly send: (worker: number, parcel: { readonly key: string; readonly seq: number; readonly must: boolean }, handle: RawHandle) => boolean
  /** Workers whose server on that socket is open. */
  readonly users: (key: string) => ReadonlySet<number>
}

interface Parcel {
  readonly key: string
  readonly from: number
  readonly handle: RawHandle
  /** Who was asked while others might be better, and who was told to take it. */
  readonly asked: Set<number>
  readonly told: Set<number>
  target: number | undefined
}

/** Connections that wait for a worker, at most; as long as a usual backlog. */
const WAITING_LIMIT = 511

export class Relay {
  readonly #balance: Balance
  readonly #ports: RelayPorts
  readonly #parcels = new Map<number, Parcel>()
  #lastSeq = 0

  constructor(balance: Balance, ports: RelayPorts) {
    this.#balance = balance
    this.#ports = ports
  }

  /** A worker has accepted a connection that another one should have. */
  offer(from: number, key: string, handle: RawHandle): void {
    if (this.#parcels.size >= WAITING_LIMIT) {
      handle.close()
      return
    }
    this.#lastSeq += 1
    this.#parcels.set(this.#lastSeq, { key, from, handle, asked: new Set(), told: new Set(), target: undefined })
    this.#dispatch(this.#lastSeq)
  }

  /** The worker has the connection. */
  took(worker: number, seq: number): void {
    const parcel = this.#parcels.get(seq)
    if (parcel === undefined || parcel.target !== worker) return
    this.#balance.settled(worker)
    this.#parcels.delete(seq)
    parcel.handle.close()
  }

  /** The worker cannot have it. */
  refused(worker: number, seq: number): void {
    const parcel = this.#parcels.get(seq)
    if (parcel === undefined || parcel.target !== worker) return
    this.#balance.settled(worker)
    parcel.target = undefined
    this.#dispatch(seq)
  }

  /** The worker is gone. What it has not taken goes to others. */
  gone(worker: number): void {
    for (const [seq, parcel] of this.#parcels) {
      if (parcel.target !== worker) continue
      parcel.target = undefined
      this.#dispatch(seq)
    }
  }

  /** A worker can take connections: what waits goes out. */
  retry(): void {
    for (const [seq, { target }] of this.#parcels) if (target === undefined) this.#dispatch(seq)
  }

  /** Gives up what waits. */
  release(): void {
    for (const { handle } of this.#parcels.values()) handle.close()
    this.#parcels.clear()
  }

  #dispatch(seq: number): void {
    const parcel = this.#parcels.get(seq)
    if (parcel === undefined) return
    const { key, from, handle, asked, told } = parcel
    const users = this.#ports.users(key)
    for (;;) {
      const willing = this.#balance.choose((id) => users.has(id) && !asked.has(id))
      // Nobody who wants it: then whoever has the server open, first the one that accepted it, even in a drain.
      const target = willing ?? [from, ...users].find((id) => users.has(id) && !told.has(id))
      if (target === undefined) break
      const tried = willing === undefined ? told : asked
      tried.add(target)
      if (!this.#ports.send(target, { key, seq, must: willing === undefined }, handle)) continue
      parcel.target = target
      this.#balance.sent(target)
      return
    }
    // All have died: their successors will have the server open. All have refused: nobody ever will.
    if (users.size === 0) return
    this.#parcels.delete(seq)
    handle.close()
  }
}
