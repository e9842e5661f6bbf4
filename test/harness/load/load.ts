/** A load of mixed clients on a server that runs `ledger.cjs`, from its start to its report. */
import { Accounts, type Notes } from './accounts.ts'
import type { ClientContext } from './client.ts'
import type { Ledger } from './ledger.ts'
import { KINDS, type KindName, type Mix } from './mix.ts'
import { makeReport, type Report } from './report.ts'
import { stream } from './seed.ts'

export interface Target {
  readonly port: number
  readonly tlsPort?: number
  readonly http2Port?: number
}

export interface LoadOptions {
  readonly seed: number
  readonly mix: Mix
  readonly ledger: Ledger
  /** After it, a request is stuck. More than the drain timeout. */
  readonly patienceMs?: number
}

const PATIENCE_MS = 15_000

export class Load {
  readonly accounts: Accounts
  readonly #options: LoadOptions
  readonly #clients: Promise<void>[] = []
  readonly #pauses = new Set<() => void>()
  readonly #hunters = new Set<(inMs: number) => void>()
  #over = false

  constructor(target: Target, options: LoadOptions) {
    this.#options = options
    this.accounts = new Accounts(options.seed)
    for (const [name, count] of Object.entries(options.mix) as [KindName, number][]) {
      for (let number = 1; number <= count; number += 1) {
        this.#clients.push(KINDS[name].client(this.#context(target, name, number)))
      }
    }
  }

  get notes(): Notes {
    return this.accounts.notes
  }

  /** Tells the hunters that a worker drains now, or will in so many ms. */
  announceDrain(inMs = 0): void {
    const waiting = [...this.#hunters]
    this.#hunters.clear()
    for (const tell of waiting) tell(inMs)
  }

  /** Resolves when so many more requests have their fate. */
  async settled(more: number): Promise<void> {
    const goal = this.accounts.entries.length + more
    while (this.accounts.entries.length < goal) await this.#pause(10)
  }

  /** No more requests; those that are under way get their fate. */
  async end(): Promise<void> {
    this.#over = true
    this.announceDrain()
    for (const wake of this.#pauses) wake()
    await Promise.all(this.#clients)
  }

  /** Ends it, and tells what came of it. */
  async stop(): Promise<Report> {
    await this.end()
    return makeReport(this.accounts, this.#options.ledger, this.#options.seed)
  }

  #context({ port, tlsPort = 0, http2Port = 0 }: Target, name: KindName, number: number): ClientContext {
    const { secure } = KINDS[name]
    return {
      kind: name,
      door: { port: secure ? tlsPort : port, secure },
      http2Port,
      random: stream(this.#options.seed, `${name}:${number}`),
      accounts: this.accounts,
      patienceMs: this.#options.patienceMs ?? PATIENCE_MS,
      isOver: () => this.#over,
      pause: async (ms) => this.#pause(ms),
      nextDrain: async () => (this.#over ? 0 : new Promise((resolve) => this.#hunters.add(resolve))),
    }
  }

  async #pause(ms: number): Promise<void> {
    if (this.#over) return
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#pauses.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.#pauses.add(wake)
    })
  }
}
