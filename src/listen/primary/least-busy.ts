/**
 * Who should have the next connection. Pure bookkeeping: what each worker says of its load, and what is
 * on the way to it. The other half, which acts on the ceilings, is `listen/worker/surplus.ts`.
 */
import { penaltiesOf } from './score.ts'
import { STALL_MS, type Load, type Strategy } from './strategy.ts'

interface Seat {
  load: Load
  /** Connections that were sent to it and that its reports do not contain yet. */
  coming: number
  /** Does not answer: gets nothing, and is no measure for the others. */
  stalled: boolean
  /** Takes nothing for now, and is no measure either. */
  full: boolean
}

/**
 * Least busy: each worker keeps a connection while it has no more of them than the least busy of the
 * others, so that two workers differ by one at most. A worker that is much busier than the others counts as one
 * that has more connections: see `score.ts`.
 */
export class LeastBusy implements Strategy {
  readonly isPatient = true
  readonly stallMs = STALL_MS
  readonly #seats = new Map<number, Seat>()

  /** The worker takes connections from now on. */
  join(id: number): void {
    if (!this.#seats.has(id)) this.#seats.set(id, { load: { open: 0, busy: 0 }, coming: 0, stalled: false, full: false })
  }

  /** It takes no more. */
  leave(id: number): void {
    this.#seats.delete(id)
  }

  report(id: number, load: Load): void {
    const seat = this.#seats.get(id)
    if (seat !== undefined) seat.load = load
  }

  /** The number alone, as of now. */
  reportOpen(id: number, open: number): void {
    const seat = this.#seats.get(id)
    if (seat !== undefined) seat.load = { ...seat.load, open }
  }

  /** What a worker said a while ago: newer reports may have overtaken it. */
  reportAtLeast(id: number, open: number): void {
    const known = this.#seats.get(id)?.load.open ?? 0
    if (open > known) this.reportOpen(id, open)
  }

  /** A connection is on its way to the worker. */
  sent(id: number): void {
    const seat = this.#seats.get(id)
    if (seat !== undefined) seat.coming += 1
  }

  /** It has arrived, or will not; the report that belongs to the arrival comes with it. */
  settled(id: number): void {
    const seat = this.#seats.get(id)
    if (seat !== undefined) seat.coming = Math.max(0, seat.coming - 1)
  }

  setStalled(id: number, stalled: boolean): void {
    const seat = this.#seats.get(id)
    if (seat !== undefined) seat.stalled = stalled
  }

  /** Connections that it has, and those on their way to it. */
  open(id: number): number {
    const seat = this.#seats.get(id)
    return seat === undefined ? 0 : seat.load.open + seat.coming
  }

  setFull(id: number, full: boolean): void {
    const seat = this.#seats.get(id)
    if (seat !== undefined) seat.full = full
  }

  /** Who can have the next connection, and what each has, with what is on the way to it. */
  takers(): readonly (readonly [number, Required<Load>])[] {
    return [...this.#seats].flatMap(([id, { load, coming, stalled, full }]) => (stalled || full ? [] : [[id, { inFlight: 0, lagMs: 0, ...load, open: load.open + coming }] as const]))
  }

  /** The least busy worker of those that `fits` accepts; the lowest number among equals. */
  choose(fits: (id: number) => boolean): number | undefined {
    let best: number | undefined
    let lowest = Number.POSITIVE_INFINITY
    for (const [id, score] of this.#scores()) {
      if (score >= lowest || this.isFull(id) || !fits(id)) continue
      best = id
      lowest = score
    }
    return best
  }

  /** To each worker how many connections it may have before it hands over; null when there is nobody else. */
  ceilings(): ReadonlyMap<number, number | null> {
    const scores = this.#scores()
    const ranked = [...scores].flatMap(([id, score]) => (this.isFull(id) ? [] : [score])).sort((a, b) => a - b)
    const [lowest, second] = ranked
    return new Map(
      [...this.#seats].map(([id, { load, coming, full }]) => {
        const score = scores.get(id)
        const others = score === lowest && !full ? second : lowest
        if (others === undefined || score === undefined) return [id, null]
        const penalty = score - load.open - coming
        return [id, Math.max(1, Math.floor(others - penalty) + 1)]
      }),
    )
  }

  isFull(id: number): boolean {
    return this.#seats.get(id)?.full === true
  }

  /** Of those that answer: connections, and what else they have to do. */
  #scores(): ReadonlyMap<number, number> {
    const seats = [...this.#seats].filter(([, { stalled }]) => !stalled)
    const penalty = penaltiesOf(seats.map(([, { load }]) => load))
    return new Map(seats.map(([id, { load, coming }]) => [id, load.open + coming + penalty(load)]))
  }
}
