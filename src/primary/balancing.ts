/** Spreads connections over the workers: gathers what they report, tells each its ceiling, relays what is too much. */
import { nowMs } from '../base/clock.ts'
import type { BalanceFunction, Settings } from '../config/types.ts'
import { createChosenKey } from '../listen/primary/chosen-key.ts'
import { Chosen } from '../listen/primary/chosen.ts'
import { LeastBusy } from '../listen/primary/least-busy.ts'
import { Relay, type Origin } from '../listen/primary/relay.ts'
import { RoundRobin } from '../listen/primary/round-robin.ts'
import { Sticky } from '../listen/primary/sticky.ts'
import type { Strategy } from '../listen/primary/strategy.ts'
import type { RawHandle } from '../listen/primary/raw-handle.ts'
import type { ConnectionOffer, WorkerLoad, WorkerMessage } from '../protocol/messages.ts'
import type { Seat } from '../protocol/sticky.ts'
import { acceptsHere, createPeerPin, withPin } from './acceptor.ts'
import { isGated } from './admission.ts'
import type { LinkingPorts } from './linking.ts'
import type { WorkerProcess } from './worker-process.ts'

/** Reports of a few milliseconds are answered together; of more workers come more. */
const FLUSH_MS = { least: 5, perWorker: 1.25 }

/** How it reaches the workers. */
export interface BalancingPorts {
  readonly worker: (id: number) => WorkerProcess | undefined
  readonly workers: () => Iterable<WorkerProcess>
  /** Workers whose server on that socket is open. */
  readonly users: (key: string) => ReadonlySet<number>
  readonly warn: (text: string) => void
}

/** Connections in the supervisor's hands, since the start. */
export interface HandOvers {
  /** Taken by another worker than the one that had accepted it. */
  readonly relayed: number
  /** Taken back by that one, since no other could. */
  readonly gaveBack: number
  /** Closed: nobody took it, too many waited, or the supervisor ended. */
  readonly gaveUp: number
  /** Under way now. */
  readonly waiting: number
}

export class Balancing {
  readonly #strategy: Strategy
  readonly #relay: Relay
  readonly #worker: (id: number) => WorkerProcess | undefined
  readonly #chosenKey: ((head: string, client: RawHandle) => number | undefined) | undefined
  /** Where workers do not know the keys of clients. */
  readonly #pinOfPeer: ((client: RawHandle) => number | undefined) | undefined
  readonly #workers: () => Iterable<WorkerProcess>
  readonly #loads = new Map<number, WorkerLoad>()
  readonly #told = new Map<number, string>()
  readonly #ready = new Set<number>()
  /** Nothing is ever handed over. */
  readonly #isIdle: boolean
  #seats: readonly Seat[] = []
  #timer: NodeJS.Timeout | undefined
  #expiry: NodeJS.Timeout | undefined

  constructor(settings: Pick<Settings, 'balance' | 'sticky' | 'admission'>, { worker, workers, users, warn }: BalancingPorts, secret: string | undefined) {
    this.#strategy = strategyOf(settings, worker, warn)
    this.#isIdle = !isGated(settings.admission) && settings.sticky === undefined && (settings.balance === 'shared' || settings.balance === 'reuseport')
    const choose = settings.sticky?.choose
    this.#chosenKey = choose === undefined || secret === undefined ? undefined : createChosenKey(choose, secret, warn)
    this.#pinOfPeer = settings.sticky !== undefined && secret !== undefined && acceptsHere(settings.balance, settings.sticky) ? createPeerPin(secret) : undefined
    this.#worker = worker
    this.#workers = workers
    this.#relay = new Relay(this.#strategy, {
      users,
      send: (id, parcel, handle) => worker(id)?.linking.deliver(parcel, handle) ?? false,
      isComing: (id) => worker(id)?.linking.isComing ?? false,
      ping: (id) => worker(id)?.ping(),
    })
  }

  /** The worker is about to listen. */
  introduce(id: number): void {
    if (this.#seats.length > 0) this.#worker(id)?.tellSeats(this.#seats)
  }

  /** The worker listens, or is about to: it may get connections of others' clients before it is ready. */
  link(id: number): void {
    if (!this.#isIdle) this.#worker(id)?.linking.begin()
  }

  /** The worker is ready. */
  join(id: number): void {
    this.#ready.add(id)
    if (this.#worker(id)?.linking.isLinked === true) this.#enter(id)
  }

  #enter(id: number): void {
    this.#strategy.join(id, this.#worker(id)?.slot ?? -1)
    this.#relay.heard(id, nowMs())
    // At once: it may get its first connection as soon as it is known to be ready.
    this.#flush()
  }

  /** It drains, or is gone. */
  leave(id: number): void {
    this.#ready.delete(id)
    this.#strategy.leave(id)
    this.#told.delete(id)
    // At once: it is about to take nothing from others.
    this.#flush()
  }

  /** It is gone, and all that it said has been heard. */
  gone(id: number): void {
    this.leave(id)
    this.#loads.delete(id)
    this.#relay.gone(id, nowMs())
    this.#schedule()
  }

  /** The last report of each worker. */
  get loads(): readonly (readonly [number, WorkerLoad])[] {
    return [...this.#loads]
  }

  /** What became of connections in the supervisor's hands. */
  get handOvers(): HandOvers {
    return { ...this.#relay.counts, waiting: this.#relay.waiting }
  }

  /** The worker takes nothing for now, or again. */
  setFull(id: number, full: boolean): void {
    this.#strategy.setFull(id, full)
    this.#relay.heard(id, nowMs())
    // At once: what comes now must find its way.
    this.#flush()
  }

  take(id: number, message: Extract<WorkerMessage, { readonly type: 'load' }>): void {
    const { type: _, ...load } = message
    this.#strategy.report(id, load)
    this.#loads.set(id, load)
    this.#heard(id)
  }

  /** Connections can be sent to it. */
  linked(id: number): void {
    if (this.#ready.has(id)) this.#enter(id)
    else this.#relay.retry(nowMs())
  }

  /** They cannot, not any more or not yet. All that it said has been heard. */
  unlinked(id: number): void {
    this.#strategy.leave(id)
    this.#told.delete(id)
    this.#relay.gone(id, nowMs())
    this.#flush()
  }

  takeLink(id: number, ...[message, handle]: Parameters<LinkingPorts['onMessage']>): void {
    if (message.type === 'offer') {
      if (handle !== undefined) this.#offer(id, message.offer, handle)
      return
    }
    if (message.type === 'refused') this.#relay.refused(id, message.seq)
    else {
      this.#strategy.reportOpen(id, message.open)
      this.#relay.took(id, message.seq, nowMs())
    }
    this.#heard(id)
  }

  #heard(id: number): void {
    this.#relay.heard(id, nowMs())
    this.#schedule()
    this.#changed()
  }

  #offer(from: number, { open, ...origin }: ConnectionOffer, handle: RawHandle): void {
    this.#strategy.reportAtLeast(from, open)
    this.#relay.offer(from, this.#withKey(origin, handle), handle, nowMs())
    this.#schedule()
    this.#changed()
  }

  #withKey(origin: Origin, handle: RawHandle): Origin {
    return withPin(origin, origin.head === undefined ? this.#pinOfPeer?.(handle) : this.#chosenKey?.(origin.head, handle))
  }

  /** The primary has accepted a connection. */
  accepted(origin: Origin, client: RawHandle): void {
    this.#relay.offer(undefined, origin, client, nowMs())
    this.#schedule()
  }

  release(): void {
    this.#relay.release()
    clearTimeout(this.#timer)
    clearTimeout(this.#expiry)
  }

  /** Looks after workers that do not answer. */
  #schedule(): void {
    const due = this.#relay.dueAt
    if (due === undefined || this.#expiry !== undefined) return
    this.#expiry = setTimeout(() => {
      // What came meanwhile is read first: a primary that was late itself must not blame the workers.
      setImmediate(() => {
        this.#expiry = undefined
        this.#relay.expire(nowMs())
        this.#schedule()
        this.#changed()
      })
    }, Math.max(1, due - nowMs())).unref()
  }

  #changed(): void {
    this.#timer ??= setTimeout(() => this.#flush(), Math.max(FLUSH_MS.least, this.#told.size * FLUSH_MS.perWorker)).unref()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#tellSeats()
    const pinned = this.#strategy.pinnedCeiling?.() ?? null
    for (const [id, open] of this.#strategy.ceilings()) {
      const told = `${open} ${pinned}`
      if (this.#told.get(id) === told) continue
      this.#told.set(id, told)
      this.#worker(id)?.limit(open, pinned)
    }
  }

  /** To every worker, those that drain included: they still pass requests on. */
  #tellSeats(): void {
    const seats = this.#strategy.seats?.().map(({ slot, id }) => ({ slot, pid: this.#worker(id)?.pid ?? -1 }))
    if (seats === undefined || JSON.stringify(seats) === JSON.stringify(this.#seats)) return
    this.#seats = seats
    for (const worker of this.#workers()) worker.tellSeats(seats)
  }
}

function strategyOf({ balance, sticky }: Pick<Settings, 'balance' | 'sticky'>, worker: BalancingPorts['worker'], warn: BalancingPorts['warn']): Strategy {
  if (sticky !== undefined) return new Sticky(sticky.factor)
  if (typeof balance === 'function') return chosenBy(balance, worker, warn)
  // `shared` relays nothing: its workers are given no ceiling.
  return balance === 'least-busy' ? new LeastBusy() : new RoundRobin()
}

function chosenBy(choose: BalanceFunction, worker: BalancingPorts['worker'], warn: BalancingPorts['warn']): Strategy {
  return new Chosen({
    choose,
    describe(id, load) {
      const found = worker(id)
      return found && { slot: found.slot, pid: found.pid, generation: found.generation, ...load }
    },
    dismissed: (why) => warn(`the function \`balance\` is asked no more, least-busy decides alone: ${why}`),
    clock: nowMs,
  })
}
