import type { Account, Share } from './ledger.ts'

/** A page's usual size, and so a write's: about what a pipe takes at once. */
export const PAGE_BYTES = 64 * 1024

const NEWLINE = 10

/**
 * Lines on their way out, written one after the other into one piece of memory. So a waiting line
 * costs its bytes and no object, and one system call writes many.
 */
export class Page {
  readonly #memory: Buffer
  readonly #shares = new Map<Account, Share>()
  #start = 0
  #end = 0

  /** @param capacity bytes; more than {@link PAGE_BYTES} only for a single larger line. */
  constructor(capacity: number = PAGE_BYTES) {
    this.#memory = Buffer.allocUnsafeSlow(capacity)
  }

  /** Bytes not yet written. */
  get length(): number {
    return this.#end - this.#start
  }

  /** Bytes that still fit. */
  get room(): number {
    return this.#memory.length - this.#end
  }

  /** Whether a copy of the contents is cheaper than to give the memory away. */
  get sparse(): boolean {
    return this.length * 2 < this.#memory.length
  }

  /** The contents, without a copy. */
  get bytes(): Buffer {
    return this.#memory.subarray(this.#start, this.#end)
  }

  get shares(): ReadonlyMap<Account, Share> {
    return this.#shares
  }

  /** Adds a line, of which the caller knows that it fits: `size` bytes with the newlines before and after it. */
  append(account: Account, data: string | Buffer, size: number, newlineBefore: boolean, newlineAfter: boolean): void {
    let at = this.#end
    if (newlineBefore) this.#memory[at++] = NEWLINE
    if (typeof data === 'string') this.#memory.write(data, at)
    else data.copy(this.#memory, at)
    this.#end += size
    if (newlineAfter) this.#memory[this.#end - 1] = NEWLINE
    const share = this.#shares.get(account)
    if (share === undefined) {
      this.#shares.set(account, { lines: 1, bytes: size })
    } else {
      share.lines++
      share.bytes += size
    }
  }

  /** Forgets the first bytes: they have been written. */
  skip(bytes: number): void {
    this.#start += bytes
  }

  /** Makes it empty, for another use of the same memory. */
  clear(): void {
    this.#start = 0
    this.#end = 0
    this.#shares.clear()
  }
}
