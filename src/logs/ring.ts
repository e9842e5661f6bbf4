/** What was written lately, for those who ask: `everycore logs`. */
import { MAX_LINE_BYTES } from './line-splitter.ts'
import { LEVEL_NUMBERS, type RecordLevel } from './record.ts'
import { HEADER_BYTES, levelCode, RING_STREAMS, RingPage, type RingStream } from './ring-page.ts'
import type { LogLevel, StreamName } from './types.ts'

/** A remembered line, for whoever asks. */
export interface LogRecord {
  /** When it arrived, ISO 8601. */
  readonly at: string
  /** Null: the supervisor, or a spare that has no slot yet. */
  readonly slot: number | null
  readonly pid: number
  readonly stream: RingStream
  /** As the line tells it, if it is JSON of pino, bunyan or winston; null: it tells none. */
  readonly level: RecordLevel | null
  /** As it was written: it may hold escapes, and is to be made harmless before a terminal gets it. What is no UTF-8 is U+FFFD. */
  readonly text: string
  /** Only a piece of a line of more than 64 KiB. */
  readonly cut?: true
}

/** Which lines are asked for. */
export interface LogFilter {
  /** Slot of the worker. */
  readonly worker?: number | undefined
  /** This level and heavier ones. A line that tells none counts as info on stdout and as error on stderr. */
  readonly level?: RecordLevel | undefined
  /** Arrived then or later, in ms since 1970. */
  readonly sinceMs?: number | undefined
}

/** What a {@link LogRing} is asked for. */
export interface LogQuery extends LogFilter {
  /** How many of the lines that are there already come first, the newest of those that fit; none if left out. */
  readonly n?: number | undefined
  /** Number of the first line, as {@link LogBatch} tells it; then `n` means nothing. */
  readonly from?: number | undefined
}

/** A reader that follows. */
export interface LogFollower {
  /** The next lines that fit, oldest first. Looks at a limited number of lines, so that no reader holds up the process. */
  read(): LogBatch
  stop(): void
}

/** What a follower has read in one go. */
export interface LogBatch {
  readonly records: readonly LogRecord[]
  /** Lines that were forgotten before it came to them, of all workers and levels: what is gone cannot be looked at. */
  readonly missed: number
  /** There may be others already, also when this has none. */
  readonly more: boolean
  /** Number of the line that comes after them: whoever was cut off goes on with `from`. */
  readonly next: number
}

/** Enough for some thousand lines. */
export const RING_BYTES = 1024 * 1024

/** At most a part of the whole is forgotten at once. */
const PARTS = 16
const LARGEST_LINE = MAX_LINE_BYTES + HEADER_BYTES
/** Lines that a follower looks at in one go. */
const READ_LINES = 500
/** Bytes of text that it takes in one go. */
const READ_BYTES = 128 * 1024

/** Of lines that tell none. */
const ASSUMED: Readonly<Record<RingStream, RecordLevel>> = { stdout: 'info', stderr: 'error', everycore: 'info' }
const STREAM_NUMBERS: Readonly<Record<RingStream, number>> = { stdout: RING_STREAMS.indexOf('stdout'), stderr: RING_STREAMS.indexOf('stderr'), everycore: RING_STREAMS.indexOf('everycore') }
const NOBODY = -2

/**
 * The newest lines of all workers and of the supervisor, bounded in bytes: the oldest go when others come. To remember a line
 * is to copy its bytes; its level is looked for when somebody asks. Readers have no buffers: each has a place in
 * the ring, and one that is too slow is told how many lines it has missed.
 */
export class LogRing {
  readonly #pid: number
  readonly #pageBytes: number
  readonly #maxPages: number
  /** Oldest first. */
  readonly #pages: RingPage[] = []
  #last: RingPage | undefined
  /** Number of the next line. */
  #next = 0
  readonly #waiting = new Set<() => void>()
  #isScheduled = false

  /**
   * @param maxBytes of memory, of which 32 for each line; 0 remembers nothing, otherwise at least two of the longest lines fit (130 KiB)
   * @param pid of the supervisor
   */
  constructor(maxBytes: number = RING_BYTES, pid: number = process.pid) {
    this.#pid = pid
    this.#pageBytes = (Math.max(maxBytes / PARTS, LARGEST_LINE) + 7) & ~7
    this.#maxPages = maxBytes <= 0 ? 0 : Math.max(2, Math.floor(maxBytes / this.#pageBytes))
  }

  /** Remembers a line of a worker. The bytes are copied. @param at in ms since 1970 */
  push(at: number, slot: number, pid: number, stream: StreamName, bytes: Buffer, cut: boolean): void {
    this.#append(at, slot, pid, STREAM_NUMBERS[stream], cut, 0, bytes)
  }

  /** Remembers what the supervisor says. */
  pushOwn(at: number, level: LogLevel, msg: string): void {
    for (const line of msg.split('\n')) this.#append(at, NOBODY, this.#pid, STREAM_NUMBERS.everycore, false, levelCode(level), Buffer.from(line))
  }

  /**
   * Begins with the newest `n` lines of those that fit, and follows from there.
   *
   * @param onMore called in a later turn when there are lines to be read, and not again until they are
   */
  follow(query: LogQuery, onMore: () => void): LogFollower {
    const page = this.#last
    const place = page === undefined ? undefined : { page, first: page.first, offset: page.end }
    const reader = new Reader(query, this.#next, place)
    // Whoever follows reads first, and waits when there is no more.
    let isIdle = false
    const wake = (): void => {
      if (!isIdle) return
      isIdle = false
      onMore()
    }
    this.#waiting.add(wake)
    return {
      read: () => {
        const given = reader.read(this.#pages, this.#next)
        isIdle = !given.more
        return given
      },
      stop: () => void this.#waiting.delete(wake),
    }
  }

  #append(at: number, slot: number, pid: number, stream: number, cut: boolean, level: number, bytes: Buffer): void {
    if (this.#maxPages === 0) return
    const kept = bytes.length > MAX_LINE_BYTES ? bytes.subarray(0, MAX_LINE_BYTES) : bytes
    let page = this.#last
    if (page === undefined || !page.fits(kept.length)) page = this.#turn()
    page.append(at, slot, pid, stream, cut, level, kept)
    this.#next++
    if (this.#waiting.size > 0 && !this.#isScheduled) this.#schedule()
  }

  /** An empty page, in the place of the oldest when there are enough. */
  #turn(): RingPage {
    const page = (this.#pages.length < this.#maxPages ? undefined : this.#pages.shift()) ?? new RingPage(this.#pageBytes)
    page.restart(this.#next)
    this.#pages.push(page)
    this.#last = page
    return page
  }

  /** Readers are told once for all lines of one turn of the event loop. */
  #schedule(): void {
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      for (const wake of this.#waiting) wake()
    })
  }
}

/** Where the next line of a follower is, if the page is still what it was. */
interface Place {
  readonly page: RingPage
  readonly first: number
  readonly offset: number
}

/** The place of one follower. It holds no lines but those with which it begins. */
class Reader {
  readonly #filter: LogFilter
  /** Lines with which it begins that are still to be found. */
  #wanted: number
  /** It looks for them among those before this one. */
  #before: number
  /** Those that it has found: newest first, and turned round when all are. */
  #earlier: LogRecord[] = []
  /** Number of the line that it reads next. */
  #next: number
  #place: Place | undefined

  constructor({ n = 0, from, ...filter }: LogQuery, end: number, place: Place | undefined) {
    const next = from === undefined ? end : Math.min(Math.max(from, 0), end)
    this.#filter = filter
    this.#wanted = from === undefined ? n : 0
    this.#before = next
    this.#next = next
    this.#place = next === end ? place : undefined
  }

  /** @param end number of the line that comes next into the ring */
  read(pages: readonly RingPage[], end: number): LogBatch {
    if (this.#wanted > 0) return this.#search(pages)
    if (this.#earlier.length > 0) {
      const records = this.#earlier.splice(0, READ_LINES)
      return { records, missed: 0, more: this.#earlier.length > 0 || this.#next < end, next: this.#next }
    }
    const missed = Math.max(0, (pages[0]?.first ?? end) - this.#next)
    this.#next += missed
    const records: LogRecord[] = []
    let bytes = 0
    for (let looked = 0; this.#next < end && looked < READ_LINES && bytes < READ_BYTES; looked++) {
      const { page, offset } = this.#find(pages)
      if (matches(page, offset, this.#filter)) {
        const record = recordOf(page, offset)
        records.push(record)
        bytes += record.text.length
      }
      this.#place = { page, first: page.first, offset: page.next(offset) }
      this.#next++
    }
    return { records, missed, more: this.#next < end, next: this.#next }
  }

  /** Looks backwards, through one page in one go. */
  #search(pages: readonly RingPage[]): LogBatch {
    const page = pages.find(({ first, count }) => this.#before > first && this.#before <= first + count)
    if (page !== undefined) this.#searchPage(page)
    this.#before = page?.first ?? 0
    if (this.#before === 0) this.#wanted = 0
    if (this.#wanted === 0) this.#earlier.reverse()
    return { records: [], missed: 0, more: true, next: this.#next }
  }

  #searchPage(page: RingPage): void {
    const offsets = page.offsets()
    for (let index = this.#before - page.first - 1; index >= 0 && this.#wanted > 0; index--) {
      const offset = offsets[index] ?? 0
      if (!matches(page, offset, this.#filter)) continue
      this.#earlier.push(recordOf(page, offset))
      this.#wanted--
    }
  }

  /** It goes on where it was, or looks for the line in its page: when that is the next one, or it was cut off. */
  #find(pages: readonly RingPage[]): Place {
    const place = this.#place
    const holds = ({ first, count }: RingPage): boolean => this.#next >= first && this.#next < first + count
    if (place !== undefined && place.page.first === place.first && holds(place.page)) return place
    const page = pages.find(holds)
    if (page === undefined) throw new Error(`the ring has lost line ${this.#next}`)
    return { page, first: page.first, offset: page.offsets()[this.#next - page.first] ?? 0 }
  }
}

/** The number of a level that a line counts with. */
function weight(page: RingPage, offset: number): number {
  return LEVEL_NUMBERS[page.level(offset) ?? ASSUMED[page.stream(offset)]]
}

function matches(page: RingPage, offset: number, { worker, level, sinceMs }: LogFilter): boolean {
  if (worker !== undefined && page.slot(offset) !== worker) return false
  if (sinceMs !== undefined && page.at(offset) < sinceMs) return false
  return level === undefined || weight(page, offset) >= LEVEL_NUMBERS[level]
}

function recordOf(page: RingPage, offset: number): LogRecord {
  const { at, slot, pid, stream, cut, bytes } = page.line(offset)
  return {
    at: new Date(at).toISOString(),
    slot: slot < 0 ? null : slot,
    pid,
    stream,
    level: page.level(offset) ?? null,
    text: bytes.toString('utf8'),
    ...(cut && { cut }),
  }
}
