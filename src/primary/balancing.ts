/** Spreads connections over the workers: gathers what they report, tells each its ceiling, relays what is too much. */
import { nowMs } from '../base/clock.ts'
import type { BalanceFunction, BalanceName } from '../config/types.ts'
import { Chosen } from '../listen/primary/chosen.ts'
import { LeastBusy } from '../listen/primary/least-busy.ts'
import { Relay } from '../listen/primary/relay.ts'
import { RoundRobin } from '../listen/primary/round-robin.ts'
import type { Strategy } from '../listen/primary/strategy.ts'
import type { RawHandle } from '../listen/primary/raw-handle.ts'
import type { WorkerLoad, WorkerMessage } from '../protocol/messages.ts'
import type { ConnectionOffer } from './ipc-guard.ts'
import type { WorkerProcess } from './worker-process.ts'

/** Reports of a few milliseconds are answered together. */
const FLUSH_MS = 5

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

interface BalancingPorts {
  readonly worker: (id: number) => WorkerProcess | undefined
  /** Workers whose server on that socket is open. */
  readonly users: (key: string) => ReadonlySet<number>
  readonly warn: (text: string) => void
}

export class Balancing {
  readonly #strategy: Strategy
  readonly #relay: Relay
  readonly #worker: (id: number) => WorkerProcess | undefined
  readonly #loads = new Map<number, WorkerLoad>()
  readonly #told = new Map<number, number | null>()
  #timer: NodeJS.Timeout | undefined
  #expiry: NodeJS.Timeout | undefined

  constructor(balance: BalanceName | BalanceFunction, { worker, users, warn }: BalancingPorts) {
    // `shared` relays nothing: its workers are given no ceiling.
    this.#strategy = typeof balance === 'function' ? chosenBy(balance, worker, warn) : balance === 'least-busy' ? new LeastBusy() : new RoundRobin()
    this.#worker = worker
    this.#relay = new Relay(this.#strategy, {
      users,
      send: (id, parcel, handle) => worker(id)?.deliver(parcel, handle) ?? false,
      ping: (id) => worker(id)?.ping(),
    })
  }

  /** The worker is ready. */
  join(id: number): void {
    this.#strategy.join(id)
    this.#relay.heard(id, nowMs())
    // At once: it may get its first connection as soon as it is known to be ready.
    this.#flush()
  }

  /** It drains, or is gone. */
  leave(id: number): void {
    this.#strategy.leave(id)
    this.#told.delete(id)
    this.#changed()
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

  take(id: number, message: Extract<WorkerMessage, { readonly type: 'load' | 'took' | 'refused' }>): void {
    if (message.type === 'load') {
      this.#strategy.report(id, message)
      const { type: _, ...load } = message
      this.#loads.set(id, load)
    }
    else if (message.type === 'refused') this.#relay.refused(id, message.seq)
    else {
      this.#strategy.reportOpen(id, message.open)
      this.#relay.took(id, message.seq)
    }
    this.#relay.heard(id, nowMs())
    this.#schedule()
    this.#changed()
  }

  offer(from: number, { key, open }: ConnectionOffer, handle: RawHandle): void {
    this.#strategy.reportAtLeast(from, open)
    this.#relay.offer(from, key, handle, nowMs())
    this.#schedule()
    this.#changed()
  }

  /** The primary has accepted a connection. */
  accepted(key: string, client: RawHandle): void {
    this.#relay.offer(undefined, key, client, nowMs())
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
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const [id, open] of this.#strategy.ceilings()) {
      if (this.#told.get(id) === open) continue
      this.#told.set(id, open)
      this.#worker(id)?.limit(open)
    }
  }
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
