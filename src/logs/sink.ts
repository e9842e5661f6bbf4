import { Ledger, type Account } from './ledger.ts'
import { isFinal, type Outlet, type WriteFailure } from './outlet.ts'
import { PAGE_BYTES, Page } from './page.ts'

/** What a sink has to tell the operator. */
export type SinkEvent =
  /** The reader was too slow and has caught up; so many lines were dropped since this was last told. */
  | { readonly name: 'drained'; readonly sink: string; readonly droppedLines: number }
  /** A write failed in a way that may pass. Told once, until it works again. */
  | { readonly name: 'failing'; readonly sink: string; readonly code: string }
  | { readonly name: 'recovered'; readonly sink: string; readonly code: string; readonly droppedLines: number }
  /** Nobody reads any more: everything is dropped from now on. */
  | { readonly name: 'closed'; readonly sink: string; readonly code: string }

/** What a {@link Sink} needs. */
export interface SinkOptions {
  /** How the operator knows it: `stdout`, or the path of a file. */
  readonly name: string
  readonly outlet: Outlet
  /** The most that may wait for the reader, in bytes. */
  readonly maxBufferedBytes?: number
  /** Milliseconds. */
  readonly now: () => number
  readonly onEvent: (event: SinkEvent) => void
}

/** Somebody who writes lines; by its identity the sink knows whose line is unfinished. */
export interface Source {
  readonly account: Account
}

/** The numbers of one sink. Each line given to it is written, or dropped, or still in `queuedBytes`. */
export interface SinkStats {
  readonly state: 'open' | 'failing' | 'closed'
  readonly queuedBytes: number
  readonly writtenLines: number
  readonly droppedLines: number
  /** Without the supervisor's own lines. */
  readonly droppedBySlot: Readonly<Record<number, number>>
}

/** What waits for a slow reader: many thousand lines, and little beside the 50 MB of a Node process. */
export const MAX_BUFFERED_BYTES = 4 * 1024 * 1024

/** While writes fail, one in this time finds out whether they work again. */
const PROBE_INTERVAL_MS = 1000

/**
 * A writer that never blocks, never grows, and counts every line that it has to drop. The lines of
 * one turn of the event loop leave in one write; one write is under way at a time.
 */
export class Sink {
  readonly #options: SinkOptions
  readonly #ledger: Ledger
  /** Pages that wait, oldest first; lines are added to the last. */
  readonly #waiting: Page[] = []
  /** The page that is being written, or the rest of one whose write failed. */
  #leaving: Page | undefined
  /** Memory for the next page. */
  #spare: Page | undefined
  #writing = false
  #scheduled = false
  #state: SinkStats['state'] = 'open'
  /** The code of the failure that lasts. */
  #failure = ''
  #probedAt = 0
  /** The source whose unfinished line is the last thing in the buffer. */
  #unfinished: Source | undefined
  readonly #flushing = new Set<() => void>()

  constructor(options: SinkOptions) {
    this.#options = options
    this.#ledger = new Ledger(options.maxBufferedBytes ?? MAX_BUFFERED_BYTES, options.now)
    options.outlet.onClosed((code) => this.#close(code))
  }

  /** @param slot the slot that the lines count for; undefined for the supervisor. */
  source(slot: number | undefined): Source {
    return { account: this.#ledger.account(slot) }
  }

  /**
   * Takes a line without its newline, or drops and counts it.
   *
   * @param closes whether the newline follows. Without it the source's next line continues this one;
   * if another comes first, or a piece is dropped, a newline is put between them.
   */
  push(source: Source, line: string | Buffer, closes: boolean): void {
    const newlineBefore = this.#unfinished !== undefined && this.#unfinished !== source
    const length = typeof line === 'string' ? Buffer.byteLength(line) : line.length
    const size = length + Number(newlineBefore) + Number(closes)
    if (!this.#mayTry() || !this.#ledger.fits(source.account, size)) {
      this.#ledger.dropped(source.account, 1)
      // A line with a hole must not be continued: the next piece starts a line.
      if (this.#unfinished === source) this.#unfinished = { account: source.account }
      return
    }
    this.#pageFor(size).append(source.account, line, size, newlineBefore, closes)
    this.#ledger.queued(source.account, size)
    this.#unfinished = closes ? undefined : source
  }

  /** Resolves when all is written, when nothing can be written, or after the time. */
  async flush(timeoutMs: number): Promise<void> {
    this.#write()
    if (!this.#writing) return
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        clearTimeout(timer)
        this.#flushing.delete(finish)
        resolve()
      }
      const timer = setTimeout(finish, timeoutMs)
      this.#flushing.add(finish)
    })
  }

  stats(): SinkStats {
    const { queuedBytes, writtenLines, droppedLines } = this.#ledger
    return { state: this.#state, queuedBytes, writtenLines, droppedLines, droppedBySlot: this.#ledger.droppedBySlot() }
  }

  /** Whether a line has a chance now; while writes fail, only as a probe. Sees to it that a write follows. */
  #mayTry(): boolean {
    if (this.#state === 'closed') return false
    if (this.#state === 'failing') {
      const sinceMs = this.#options.now() - this.#probedAt
      // A clock that was set back must not stop the probes.
      if (sinceMs >= 0 && sinceMs < PROBE_INTERVAL_MS) return false
      this.#probedAt = this.#options.now()
    }
    if (!this.#scheduled && !this.#writing) {
      this.#scheduled = true
      setImmediate(() => this.#write())
    }
    return true
  }

  #pageFor(size: number): Page {
    const last = this.#waiting.at(-1)
    if (last !== undefined && last.room >= size) return last
    let page = size <= PAGE_BYTES ? this.#spare : undefined
    if (page === undefined) page = new Page(Math.max(PAGE_BYTES, size))
    else this.#spare = undefined
    this.#waiting.push(page)
    return page
  }

  /** Writes what waits, until a write takes its time or fails. */
  #write(): void {
    this.#scheduled = false
    let goOn = true
    while (goOn && !this.#writing && this.#state !== 'closed') {
      this.#leaving ??= this.#waiting.shift()
      goOn = this.#leaving !== undefined && this.#writePage(this.#leaving)
    }
    this.#settle()
  }

  /** @returns whether the next page may follow at once. */
  #writePage(page: Page): boolean {
    let outcome: 'pending' | 'written' | 'failed' = 'pending'
    let later = false
    this.#writing = true
    this.#options.outlet.write(this.#bytesOf(page), (failure) => {
      if (this.#state === 'closed') return
      this.#writing = false
      outcome = failure === undefined ? 'written' : 'failed'
      if (failure === undefined) this.#written(page)
      else this.#failed(page, failure)
      if (later && failure === undefined) this.#write()
      else if (later) this.#settle()
    })
    later = true
    // Annotated anew: the compiler does not see that the callback may have run.
    return (outcome as string) === 'written'
  }

  /** A stream keeps what it is given, so it gets the page's memory or, if that would be wasteful, a copy. */
  #bytesOf(page: Page): Buffer {
    return !this.#options.outlet.copies && page.sparse ? Buffer.from(page.bytes) : page.bytes
  }

  #written(page: Page): void {
    this.#leaving = undefined
    this.#ledger.written(page.shares)
    if (this.#options.outlet.copies || page.sparse) {
      page.clear()
      if (page.room === PAGE_BYTES) this.#spare = page
    }
    const { name: sink, onEvent } = this.#options
    if (this.#state === 'failing') {
      this.#state = 'open'
      onEvent({ name: 'recovered', sink, code: this.#failure, droppedLines: this.#ledger.tell() })
    } else if (this.#waiting.length === 0 || this.#ledger.overdue) {
      const droppedLines = this.#ledger.tell()
      if (droppedLines > 0) onEvent({ name: 'drained', sink, droppedLines })
    }
  }

  #failed(page: Page, failure: WriteFailure): void {
    if (failure.mayPass !== true && isFinal(failure.code)) {
      this.#close(failure.code)
      return
    }
    if (failure.written === undefined) {
      this.#ledger.lost(page.shares)
      this.#leaving = undefined
    } else {
      page.skip(failure.written)
    }
    this.#probedAt = this.#options.now()
    this.#failure = failure.code
    if (this.#state === 'failing') return
    this.#state = 'failing'
    this.#options.onEvent({ name: 'failing', sink: this.#options.name, code: failure.code })
  }

  #close(code: string): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#writing = false
    if (this.#leaving !== undefined) this.#ledger.lost(this.#leaving.shares)
    for (const page of this.#waiting.splice(0)) this.#ledger.lost(page.shares)
    this.#leaving = undefined
    this.#spare = undefined
    this.#settle()
    this.#options.onEvent({ name: 'closed', sink: this.#options.name, code })
  }

  #settle(): void {
    if (this.#writing) return
    for (const finish of this.#flushing) finish()
  }
}
