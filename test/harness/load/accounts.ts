/** The book of a load: every request is opened once and settled once, and the sums are right. */
import assert from 'node:assert/strict'
import { countFates, type Fate, type FateCounts } from './fates.ts'

/** A request. Times are of `performance.now()`. */
export interface Entry {
  readonly id: string
  /** The kind of its client. */
  readonly kind: string
  /** When its connection was asked for. */
  readonly connectAt: number
  readonly sentAt: number
  readonly settledAt: number
  readonly fate: Fate
  /** Why, for people. */
  readonly detail: string
  /** Who answered, by the answer. */
  readonly pid?: number
  readonly generation?: number
}

export interface Settlement extends Pick<Entry, 'fate' | 'pid' | 'generation'> {
  readonly detail?: string
}

/** Settles a request that is open. */
export type Settle = (settlement: Settlement) => void

/** What happens to connections and is no fate of a request. */
export interface Notes {
  /** Ended by the server between two requests. */
  closes: number
  /** Reset by the server between two requests: a FIN would have been right. */
  resets: number
  /** Bytes that answer no request. */
  strays: number
  /** Not used, because this process had no time for them. */
  starved: number
  /** WebSocket texts. */
  texts: number
  /** Texts that were sent when their connection ended. */
  textsCut: number
}

export class Accounts {
  readonly notes: Notes = { closes: 0, resets: 0, strays: 0, starved: 0, texts: 0, textsCut: 0 }
  readonly #seed: number
  readonly #entries: Entry[] = []
  readonly #open = new Set<string>()
  #sent = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  /** Before the first byte is written; the connection may still be missing. */
  open(kind: string, connectAt: number): { readonly id: string; readonly settle: Settle } {
    this.#sent += 1
    const id = `${this.#seed}:${kind}:${this.#sent}`
    this.#open.add(id)
    const sentAt = performance.now()
    return {
      id,
      settle: ({ detail = '', ...settlement }) => {
        assert.ok(this.#open.delete(id), `${id} is settled twice`)
        this.#entries.push({ id, kind, connectAt, sentAt, settledAt: performance.now(), detail, ...settlement })
      },
    }
  }

  /** How many have no fate yet. */
  get underWay(): number {
    return this.#open.size
  }

  get entries(): readonly Entry[] {
    return this.#entries
  }

  /** @throws AssertionError when a request has no fate, or the sums do not agree: then the harness is wrong, not the server. */
  balance(): FateCounts & { readonly sent: number } {
    assert.deepEqual([...this.#open], [], 'requests without a fate')
    const counts = countFates(this.#entries.map(({ fate }) => fate))
    assert.equal(Object.values(counts).reduce((sum, count) => sum + count, 0), this.#sent, 'sent is the sum of all fates')
    return { ...counts, sent: this.#sent }
  }
}
