/** What one slot has in a sink: bytes that wait, lines that were lost. */
export interface Account {
  /** Undefined for the supervisor itself. */
  readonly slot: number | undefined
  queuedBytes: number
  droppedLines: number
}

/** While a flood keeps the buffer from draining, the loss is told once in this time. */
const TELL_INTERVAL_MS = 5000

/** What one account has in one page. */
export interface Share {
  lines: number
  bytes: number
}

type Shares = ReadonlyMap<Account, Share>

/**
 * The books of a sink: who has how much waiting, who may add to it, who lost what.
 *
 * A slot may have as much waiting as stays free after it: alone it gets half of the buffer, two
 * floods get a third each, and there is always room for the quiet ones. The supervisor's own lines
 * may use all that is free.
 *
 * @see Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet switches", 1998
 */
export class Ledger {
  readonly #maxBytes: number
  readonly #now: () => number
  readonly #accounts = new Map<number | undefined, Account>()
  queuedBytes = 0
  writtenLines = 0
  droppedLines = 0
  /** Dropped lines of which the operator does not know. */
  #untoldLines = 0
  #untoldSince = 0

  constructor(maxBytes: number, now: () => number) {
    this.#maxBytes = maxBytes
    this.#now = now
  }

  account(slot: number | undefined): Account {
    let account = this.#accounts.get(slot)
    if (account === undefined) {
      account = { slot, queuedBytes: 0, droppedLines: 0 }
      this.#accounts.set(slot, account)
    }
    return account
  }

  /** Whether the account may have so many more bytes waiting. */
  fits(account: Account, bytes: number): boolean {
    const free = this.#maxBytes - this.queuedBytes - bytes
    return free >= 0 && (account.slot === undefined || account.queuedBytes + bytes <= free)
  }

  queued(account: Account, bytes: number): void {
    account.queuedBytes += bytes
    this.queuedBytes += bytes
  }

  written(shares: Shares): void {
    for (const [account, share] of shares) {
      this.queued(account, -share.bytes)
      this.writtenLines += share.lines
    }
  }

  lost(shares: Shares): void {
    for (const [account, share] of shares) {
      this.queued(account, -share.bytes)
      this.dropped(account, share.lines)
    }
  }

  dropped(account: Account, lines: number): void {
    if (this.#untoldLines === 0) this.#untoldSince = this.#now()
    account.droppedLines += lines
    this.droppedLines += lines
    this.#untoldLines += lines
  }

  /** Whether a loss has waited long enough to be told although more may follow. */
  get overdue(): boolean {
    return this.#untoldLines > 0 && this.#now() - this.#untoldSince >= TELL_INTERVAL_MS
  }

  /** The dropped lines that were not told yet; from now on they count as told. */
  tell(): number {
    const lines = this.#untoldLines
    this.#untoldLines = 0
    return lines
  }

  droppedBySlot(): Record<number, number> {
    const slots: Record<number, number> = {}
    for (const { slot, droppedLines } of this.#accounts.values()) {
      if (slot !== undefined && droppedLines > 0) slots[slot] = droppedLines
    }
    return slots
  }
}
