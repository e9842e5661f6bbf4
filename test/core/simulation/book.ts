/**
 * What an observer knows who sees only events and effects. It shares no code with the core, so that
 * a mistake there is not repeated here.
 */
import type { CoreSettings, KillReason, RetireReason, SupervisorPhase } from '../../../src/core/types.ts'

export interface Entry {
  readonly id: number
  slot: number
  readonly generation: number
  startedAt: number
  spawned: boolean
  readyAt: number | undefined
  drainedAt: number | undefined
  drainReason: RetireReason | undefined
  killedAt: number | undefined
  killReason: KillReason | undefined
  retireAsked: boolean
  violated: boolean
  stalled: boolean
  overweight: boolean
  worn: boolean
  /** It drains, and has not said that it takes no more connections. */
  accepts: boolean
  /** A spare that has booted as far as it may. */
  waits: boolean
  gone: boolean
}

export interface SeatRecord {
  failures: number
  /** The worker that it lost last had failed. */
  failed: boolean
  notBefore: number
  newest: number
}

export interface Book {
  readonly settings: CoreSettings
  now: number
  size: number
  started: boolean
  everReady: boolean
  everRunning: boolean
  losses: number
  stopAsked: 'no' | 'graceful' | 'now'
  /** A stop was told that begins at this time: until then all goes on. */
  leavingUntil: number | undefined
  stopping: boolean
  finished: boolean
  phase: SupervisorPhase
  /** The generation of the last reload that succeeded. */
  good: number
  /** The generation that a reload tries; undefined outside. */
  trying: number | undefined
  queued: boolean
  /** The generation that a restart leads to; undefined outside. */
  restarting: number | undefined
  restartQueued: boolean
  /** New code was lost on trial: the answer is due in this step. */
  mustAbort: boolean
  everReloaded: boolean
  /** A worker of the generation that is tried has served for as long as its first must. */
  soaked: boolean
  /** The largest surge that was allowed so far. */
  mostSurge: number
  /** Some worker has reached a limit. */
  everWorn: boolean
  /** While a reload disturbs nobody, this many slots stay served. */
  floor: number | undefined
  /** A worker went, or was told to, since unused sockets were last given up. */
  socketsInDoubt: boolean
  /** When the next spare may boot, and after how many failures. */
  spare: { failures: number; notBefore: number }
  readonly seats: SeatRecord[]
  readonly entries: Entry[]
}

export function openBook(settings: CoreSettings, size: number): Book {
  return {
    settings,
    now: 0,
    size,
    started: false,
    everReady: false,
    everRunning: false,
    losses: 0,
    stopAsked: 'no',
    leavingUntil: undefined,
    stopping: false,
    finished: false,
    phase: 'idle',
    good: 1,
    trying: undefined,
    queued: false,
    restarting: undefined,
    restartQueued: false,
    mustAbort: false,
    everReloaded: false,
    soaked: false,
    mostSurge: 1,
    everWorn: false,
    floor: undefined,
    socketsInDoubt: false,
    spare: { failures: 0, notBefore: 0 },
    seats: [],
    entries: [],
  }
}

export function copyBook(book: Book): Book {
  return { ...book, spare: { ...book.spare }, seats: book.seats.map((seat) => ({ ...seat })), entries: book.entries.map((entry) => ({ ...entry })) }
}

/** A restart waits for the last of the old workers. */
export function isEmptying(book: Book): boolean {
  const { restarting } = book
  return restarting !== undefined && present(book).some(({ generation }) => generation < restarting)
}

/** Somebody else may begin: none is under way, or its code fails. */
export function isRestartOver(book: Book): boolean {
  return book.restarting === undefined || (!isEmptying(book) && book.seats.slice(0, book.size).some(({ failed }) => failed))
}

export function entryOf(book: Book, id: number): Entry | undefined {
  return book.entries.find((entry) => entry.id === id && !entry.gone)
}

export function seatOf(book: Book, slot: number): SeatRecord {
  const known = book.seats[slot]
  if (known !== undefined) return known
  const fresh = { failures: 0, failed: false, notBefore: 0, newest: 0 }
  book.seats[slot] = fresh
  for (let index = 0; index < slot; index += 1) book.seats[index] ??= { failures: 0, failed: false, notBefore: 0, newest: 0 }
  return fresh
}

export function present(book: Book): readonly Entry[] {
  return book.entries.filter((entry) => !entry.gone)
}

/** Not told to go. */
export function isWelcome(entry: Entry): boolean {
  return !entry.gone && entry.drainedAt === undefined && entry.killedAt === undefined
}

export function isSpare(entry: Entry): boolean {
  return entry.slot === -1
}

export function serves(entry: Entry): boolean {
  return isWelcome(entry) && entry.readyAt !== undefined
}

/** How long a worker of the generation that is tried must serve. */
export function trialMs({ settings, soaked }: Book): number {
  return soaked ? settings.provenMs : Math.max(settings.provenMs, settings.canaryMs)
}

/** How many workers above the size a reload may have. */
export function surgeOf({ settings: { surge }, size }: Book): number {
  return Math.min(size, Math.max(1, 'count' in surge ? surge.count : Math.trunc((size * surge.percent) / 100)))
}

/** How many slots below `size` are served. */
export function servedSlots(book: Book): number {
  return new Set(book.entries.filter((entry) => entry.slot < book.size && serves(entry)).map((entry) => entry.slot)).size
}
