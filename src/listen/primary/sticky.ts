/**
 * Each client has its worker: the one in the slot that its key belongs to. A client without a key goes to the
 * least busy. Pure bookkeeping; how the key is found is the affair of `listen/worker/request-key.ts`.
 */
import { ownerOf, ranking } from '../../protocol/sticky.ts'
import { LeastBusy } from './least-busy.ts'
import type { Load, Strategy } from './strategy.ts'

/** A worker with fewer connections above the mean than this is never too busy for its own clients: with few, any is far above. */
const SLACK = 32

export class Sticky implements Strategy {
  readonly isPatient = true
  /** A session that is broken is worse than a moment of waiting. */
  readonly stallMs = 2000
  readonly #factor: number
  readonly #others = new LeastBusy()
  /** Worker by slot: the youngest, while two share one in a reload. */
  readonly #seats = new Map<number, number>()
  readonly #slots = new Map<number, number>()
  readonly #stalled = new Set<number>()

  /** @param factor a worker with this many times the mean of connections, and {@link SLACK} more, gets no further clients; 1 or more */
  constructor(factor: number) {
    this.#factor = factor
  }

  join(id: number, slot: number): void {
    this.#others.join(id)
    this.#slots.set(id, slot)
    this.#seats.set(slot, Math.max(id, this.#seats.get(slot) ?? id))
  }

  leave(id: number): void {
    const slot = this.#slots.get(id)
    this.#others.leave(id)
    this.#slots.delete(id)
    this.#stalled.delete(id)
    if (slot === undefined || this.#seats.get(slot) !== id) return
    this.#seats.delete(slot)
    // A successor that failed leaves the seat to the one that is still there.
    for (const [other, of] of this.#slots) if (of === slot) this.#seats.set(slot, other)
  }

  report(id: number, load: Load): void {
    this.#others.report(id, load)
  }

  reportOpen(id: number, open: number): void {
    this.#others.reportOpen(id, open)
  }

  reportAtLeast(id: number, open: number): void {
    this.#others.reportAtLeast(id, open)
  }

  sent(id: number): void {
    this.#others.sent(id)
  }

  settled(id: number): void {
    this.#others.settled(id)
  }

  setStalled(id: number, stalled: boolean): void {
    this.#others.setStalled(id, stalled)
    if (stalled) this.#stalled.add(id)
    else this.#stalled.delete(id)
  }

  setFull(id: number, full: boolean): void {
    this.#others.setFull(id, full)
  }

  choose(fits: (id: number) => boolean, pin?: number): number | undefined {
    if (pin === undefined) return this.#others.choose(fits)
    const most = this.pinnedCeiling()
    const slots = [...this.#seats.keys()]
    const inTurn = (slot: number | undefined): number | undefined => {
      const id = slot === undefined ? undefined : this.#seats.get(slot)
      return id !== undefined && !this.#stalled.has(id) && !this.#others.isFull(id) && this.#others.open(id) < most && fits(id) ? id : undefined
    }
    // Nearly always it is the first, which is found without putting all in order.
    const first = inTurn(ownerOf(pin, slots))
    if (first !== undefined) return first
    for (const slot of ranking(pin, slots)) {
      const id = inTurn(slot)
      if (id !== undefined) return id
    }
    return this.#others.choose(fits)
  }

  ceilings(): ReadonlyMap<number, number | null> {
    return this.#others.ceilings()
  }

  /** A worker with so many gets none that have a key, either. */
  pinnedCeiling(): number {
    const open = [...this.#slots.keys()].map((id) => this.#others.open(id))
    const mean = open.reduce((sum, one) => sum + one, 0) / Math.max(1, this.#seats.size)
    return Math.max(Math.ceil(mean * this.#factor), Math.floor(mean) + SLACK)
  }

  seats(): readonly { readonly slot: number; readonly id: number }[] {
    return [...this.#seats].map(([slot, id]) => ({ slot, id })).sort((a, b) => a.slot - b.slot)
  }
}
