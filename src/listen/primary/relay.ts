/**
 * Carries a connection from the worker that accepted it to the one that should have it. The primary
 * keeps its copy of the handle until the target says that it has the connection: if the target refuses
 * or dies before, another worker gets it. It never reads from a connection.
 *
 * What was sent cannot be called back, so a worker gets few at a time, and only while it answers; the
 * others wait here, and go elsewhere when it has stalled. Time is a parameter.
 */
import type { Parcel } from '../../protocol/messages.ts'
import { Window } from '../../protocol/window.ts'
import type { RawHandle } from './raw-handle.ts'
import type { Strategy } from './strategy.ts'

/** How the relay reaches workers. */
export interface RelayPorts {
  /** Sends a connection; false when the worker cannot be reached, now or ever. */
  readonly send: (worker: number, parcel: Parcel, handle: RawHandle) => boolean
  /** It cannot be reached yet, but soon. */
  readonly isComing: (worker: number) => boolean
  /** Asks the worker for a sign of life. */
  readonly ping: (worker: number) => void
  /** Workers whose server on that socket is open. */
  readonly users: (key: string) => ReadonlySet<number>
}

/** What is known of a connection besides where it was accepted. */
export type Origin = Pick<Parcel, 'key' | 'pin' | 'head' | 'idle'>

interface Waiting {
  readonly origin: Origin
  /** It waits for the worker that it belongs to. */
  readonly isChoosy: boolean
  /** Who accepted it; undefined: the primary. */
  readonly from: number | undefined
  readonly handle: RawHandle
  /** Who was asked while others might be better, and who was told to take it. */
  readonly asked: Set<number>
  readonly told: Set<number>
  target: number | undefined
}

/** What is known of a worker's answers. */
interface Lane {
  readonly window: Window
  outstanding: number
  heardAt: number
  /** When the oldest question was put that it has not answered. */
  askedAt: number | undefined
  stalled: boolean
}

/** Connections under way, at most: as many as a usual backlog. */
const LIMIT = 511
/** Beyond so many nobody waits for the worker that he belongs to: those that hang must not cost the others their connections. */
const CHOOSY_LIMIT = 256
/** Sent to one worker and not yet taken, while nothing is known of it. */
const LEAST = 2
/** A worker that was heard of within this time is taken to be awake. */
const AWAKE_MS = 100

export class Relay {
  readonly #strategy: Strategy
  readonly #ports: RelayPorts
  readonly #waiting = new Map<number, Waiting>()
  readonly #lanes = new Map<number, Lane>()
  /** What became of connections, since the start. */
  readonly counts = { relayed: 0, gaveBack: 0, gaveUp: 0 }
  #lastSeq = 0

  constructor(strategy: Strategy, ports: RelayPorts) {
    this.#strategy = strategy
    this.#ports = ports
  }

  /** A worker has accepted a connection that another one should have. */
  offer(from: number | undefined, origin: Origin, handle: RawHandle, now: number): void {
    this.#lastSeq += 1
    if (this.#waiting.size >= LIMIT) {
      if (!this.#giveBack(this.#lastSeq, from, origin, handle, now)) this.#giveUp(handle)
      return
    }
    this.#waiting.set(this.#lastSeq, { origin, isChoosy: this.#waiting.size < CHOOSY_LIMIT, from, handle, asked: new Set(), told: new Set(), target: undefined })
    this.#dispatch(this.#lastSeq, now)
  }

  /** Anything came from the worker. */
  heard(worker: number, now: number): void {
    const lane = this.#lane(worker, now)
    lane.heardAt = now
    lane.askedAt = undefined
    if (lane.stalled) this.#setStalled(worker, lane, false)
    this.retry(now)
  }

  /** The worker has the connection. */
  took(worker: number, seq: number, now: number): void {
    const parcel = this.#settle(worker, seq)
    if (parcel === undefined) return
    this.#lane(worker, now).window.answered(now)
    this.#waiting.delete(seq)
    parcel.handle.close()
    this.counts[parcel.from === worker ? 'gaveBack' : 'relayed'] += 1
  }

  /** The worker cannot have it. */
  refused(worker: number, seq: number): void {
    const parcel = this.#settle(worker, seq)
    if (parcel !== undefined) parcel.target = undefined
  }

  /** The worker is gone. What it has not taken goes to others. */
  gone(worker: number, now: number): void {
    this.#lanes.delete(worker)
    for (const parcel of this.#waiting.values()) if (parcel.target === worker) parcel.target = undefined
    this.retry(now)
  }

  /** Sends what waits, as far as it can be sent now. */
  retry(now: number): void {
    /** Where those that anybody may have wait: no other one can go before them. */
    const blocked = new Set<string>()
    for (const [seq, { target, origin, isChoosy, asked }] of this.#waiting) {
      if (target !== undefined) continue
      const isAnybodys = (origin.pin === undefined || !isChoosy) && asked.size === 0
      if (isAnybodys && blocked.has(origin.key)) continue
      if (this.#dispatch(seq, now) === 'waits' && isAnybodys) blocked.add(origin.key)
    }
  }

  /** Connections under way. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** When {@link expire} has something to do; undefined for never. */
  get dueAt(): number | undefined {
    let due: number | undefined
    for (const { askedAt, stalled } of this.#lanes.values()) {
      if (askedAt !== undefined && !stalled) due = Math.min(due ?? askedAt + this.#strategy.stallMs, askedAt + this.#strategy.stallMs)
    }
    return due
  }

  /** Workers that have not answered in time get nothing until they do. */
  expire(now: number): void {
    for (const [worker, lane] of this.#lanes) {
      if (lane.askedAt !== undefined && now >= lane.askedAt + this.#strategy.stallMs && !lane.stalled) this.#setStalled(worker, lane, true)
    }
    this.retry(now)
  }

  /** Gives up what waits. */
  release(): void {
    for (const { handle } of this.#waiting.values()) this.#giveUp(handle)
    this.#waiting.clear()
    this.#lanes.clear()
  }

  /** Too many are under way: who accepted it keeps it. */
  #giveBack(seq: number, from: number | undefined, origin: Origin, handle: RawHandle, now: number): boolean {
    if (from === undefined || this.#waiting.size >= 2 * LIMIT || !this.#ports.send(from, { ...origin, seq, must: true, again: true }, handle)) return false
    this.#waiting.set(seq, { origin, isChoosy: false, from, handle, asked: new Set(), told: new Set([from]), target: from })
    this.#strategy.sent(from)
    const lane = this.#lane(from, now)
    lane.outstanding += 1
    lane.askedAt ??= now
    return true
  }

  #dispatch(seq: number, now: number): 'waits' | 'settled' {
    const parcel = this.#waiting.get(seq)
    if (parcel === undefined) return 'settled'
    const { origin, isChoosy, from, handle, asked, told } = parcel
    const pin = isChoosy ? origin.pin : undefined
    const users = this.#ports.users(origin.key)
    for (;;) {
      const fits = (id: number): boolean => users.has(id) && !asked.has(id)
      const best = this.#strategy.choose(fits, pin)
      const willing = best === undefined || this.#isFree(best, now) || this.#strategy.isPatient ? best : this.#strategy.choose((id) => fits(id) && this.#isFree(id, now), pin)
      if (best !== undefined && (willing === undefined || !this.#isFree(willing, now))) return 'waits'
      // Nobody who wants it: then whoever can be reached, first the one that accepted it, even in a drain.
      const target = willing ?? [...(from === undefined ? [] : [from]), ...asked, ...users].find((id) => !told.has(id) && !this.#ports.isComing(id))
      if (target === undefined) break
      const tried = willing === undefined ? told : asked
      tried.add(target)
      if (!this.#ports.send(target, { ...origin, seq, must: willing === undefined }, handle)) continue
      parcel.target = target
      this.#strategy.sent(target)
      const lane = this.#lane(target, now)
      lane.outstanding += 1
      lane.askedAt ??= now
      return 'settled'
    }
    // All have died: their successors will have the server open, and can be reached a moment later. All have refused: nobody ever will.
    if ([...users].every((id) => this.#ports.isComing(id))) return 'waits'
    this.#waiting.delete(seq)
    this.#giveUp(handle)
    return 'settled'
  }

  #giveUp(handle: RawHandle): void {
    this.counts.gaveUp += 1
    handle.close()
  }

  /** False: it has enough to answer for now, or was asked for a sign of life first. */
  #isFree(worker: number, now: number): boolean {
    const lane = this.#lane(worker, now)
    if (lane.outstanding >= lane.window.size(now)) return false
    if (lane.outstanding > 0 || now - lane.heardAt <= AWAKE_MS) return true
    if (lane.askedAt === undefined) {
      lane.askedAt = now
      this.#ports.ping(worker)
    }
    return false
  }

  #settle(worker: number, seq: number): Waiting | undefined {
    const parcel = this.#waiting.get(seq)
    if (parcel === undefined || parcel.target !== worker) return undefined
    this.#strategy.settled(worker)
    const lane = this.#lanes.get(worker)
    if (lane !== undefined) lane.outstanding = Math.max(0, lane.outstanding - 1)
    return parcel
  }

  #setStalled(worker: number, lane: Lane, stalled: boolean): void {
    lane.stalled = stalled
    this.#strategy.setStalled(worker, stalled)
  }

  #lane(worker: number, now: number): Lane {
    const known = this.#lanes.get(worker)
    if (known !== undefined) return known
    const lane = { window: new Window(LEAST), outstanding: 0, heardAt: now - AWAKE_MS - 1, askedAt: undefined, stalled: false }
    this.#lanes.set(worker, lane)
    return lane
  }
}
