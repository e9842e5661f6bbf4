/** Keeps the book: first the event, then each effect. */
import { assertNever } from '../../../src/base/assert-never.ts'
import { entryOf, isSpare, isWelcome, seatOf, servedSlots, serves, surgeOf, trialMs } from './book.ts'
import type { Book, Entry } from './book.ts'
import type { Effect, Event, Notice } from '../../../src/core/types.ts'

/** `reloading`: the core says that a reload or a rollback is under way, so failures may be the reload's. */
export function noteEvent(book: Book, event: Event, reloading: boolean): void {
  book.now = event.at
  if (book.finished) return
  book.soaked ||= book.entries.some((entry) => serves(entry) && entry.generation === book.trying && book.now - (entry.readyAt ?? book.now) >= trialMs(book))
  switch (event.type) {
    case 'startRequested':
      book.started ||= book.stopAsked === 'no'
      return
    case 'workerSpawned':
      return withEntry(book, event.id, (entry) => {
        if (!entry.spawned) Object.assign(entry, { spawned: true, startedAt: event.at })
      })
    case 'workerSpawnFailed':
      return withEntry(book, event.id, (entry) => noteLoss(book, entry, event.chance, reloading, true))
    case 'workerReady':
      return withEntry(book, event.id, (entry) => {
        if (!isWelcome(entry) || isSpare(entry)) return
        entry.readyAt ??= event.at
        book.everReady = true
      })
    case 'workerWaits':
      return withEntry(book, event.id, (entry) => {
        if (!isWelcome(entry) || !isSpare(entry)) return
        entry.waits = true
        book.spare = { failures: 0, notBefore: 0 }
      })
    case 'workerExited':
      return withEntry(book, event.id, (entry) => {
        book.socketsInDoubt = true
        noteLoss(book, entry, event.chance, reloading, false)
      })
    case 'workerRetireRequested':
      return withEntry(book, event.id, (entry) => noteRetire(book, entry, reloading))
    case 'workerClosed':
      return withEntry(book, event.id, (entry) => {
        entry.accepts = false
      })
    case 'workerViolated':
      return withEntry(book, event.id, (entry) => {
        entry.violated = true
        book.floor = undefined
      })
    case 'workerStalled':
      return withEntry(book, event.id, (entry) => {
        if (!serves(entry)) return
        entry.stalled = true
        book.floor = undefined
      })
    case 'workerUnfit':
      return withEntry(book, event.id, (entry) => {
        if (isWelcome(entry) && entry.generation === book.trying && !book.soaked) book.mustAbort = true
      })
    case 'workerOverweight':
      return withEntry(book, event.id, (entry) => {
        entry.overweight = true
        book.floor = undefined
      })
    case 'workerWorn':
      return withEntry(book, event.id, (entry) => {
        if (serves(entry)) Object.assign(entry, { worn: true })
        book.everWorn = true
      })
    case 'scaleRequested':
      return noteScale(book, Math.max(1, event.size))
    case 'reloadRequested':
      book.queued = true
      return
    case 'reloadAbortRequested':
      book.mustAbort = book.trying !== undefined || book.queued
      return
    case 'restartRequested':
      book.restartQueued = true
      return
    case 'stopRequested':
      if (event.how === 'now') book.leavingUntil = undefined
      else if (book.stopAsked === 'no' && !book.stopping && (event.delayMs ?? 0) > 0 && book.everReady) book.leavingUntil = event.at + (event.delayMs ?? 0)
      book.stopAsked = event.how === 'now' || book.stopAsked === 'now' ? 'now' : 'graceful'
      book.floor = undefined
      return
    case 'timePassed':
      return
    default:
      return assertNever(event)
  }
}

function withEntry(book: Book, id: number, note: (entry: Entry) => void): void {
  const entry = entryOf(book, id)
  if (entry !== undefined) note(entry)
}

function noteScale(book: Book, size: number): void {
  if (book.stopping || book.stopAsked !== 'no' || size === book.size) return
  book.size = size
  book.mostSurge = Math.max(book.mostSurge, surgeOf(book))
  if (book.floor !== undefined) book.floor = Math.min(book.floor, servedSlots(book))
  for (let slot = size; slot < book.seats.length; slot += 1) Object.assign(seatOf(book, slot), { failures: 0, failed: false, notBefore: 0 })
}

/** A worker is gone: nobody had asked it to go, or somebody had. */
function noteLoss(book: Book, entry: Entry, chance: number, reloading: boolean, noProcess: boolean): void {
  const killedForCause = entry.drainedAt === undefined && entry.killReason !== undefined && ['ready-timeout', 'violation', 'stalled', 'memory'].includes(entry.killReason)
  const counts = isWelcome(entry) || killedForCause
  entry.gone = true
  if (!counts) return
  if (entry.readyAt !== undefined && !book.entries.some((other) => other.slot === entry.slot && serves(other))) book.floor = undefined
  noteFailure(book, entry, chance, reloading, noProcess)
}

function noteFailure(book: Book, entry: Entry, chance: number, reloading: boolean, noProcess: boolean): void {
  const { stableMs, backoff } = book.settings
  if (isSpare(entry)) {
    const failures = book.spare.failures + 1
    book.spare = { failures, notBefore: book.now + Math.min(backoff.capMs, backoff.baseMs * backoff.factor ** (failures - 1)) * (1 - backoff.jitter + 2 * backoff.jitter * chance) - 1 }
    return
  }
  book.losses += 1
  const young = entry.readyAt === undefined || book.now - entry.readyAt < trialMs(book)
  if (young && entry.generation === book.trying) book.mustAbort = true
  const seat = seatOf(book, entry.slot)
  seat.failed = true
  if (reloading) {
    Object.assign(seat, { failures: 0, notBefore: 0 })
    return
  }
  const stable = entry.readyAt !== undefined && book.now - entry.readyAt >= stableMs
  seat.failures = (stable ? 0 : seat.failures) + 1
  const steps = noProcess ? seat.failures - 1 : seat.failures - 2
  const plainMs = steps < 0 ? 0 : Math.min(backoff.capMs, backoff.baseMs * backoff.factor ** steps)
  seat.notBefore = book.now + plainMs * (1 - backoff.jitter + 2 * backoff.jitter * chance) - 1
}

function noteRetire(book: Book, entry: Entry, reloading: boolean): void {
  if (!isWelcome(entry)) return
  entry.retireAsked = true
  book.floor = undefined
  if (entry.readyAt === undefined) noteFailure(book, entry, 0.5, reloading, false)
  else if (entry.generation === book.trying && book.now - entry.readyAt < trialMs(book)) {
    book.mustAbort = true
    seatOf(book, entry.slot).failed = true
  } else {
    const seat = seatOf(book, entry.slot)
    seat.failed = false
    if (!reloading) seat.notBefore = Math.max(seat.notBefore, entry.startedAt + book.settings.backoff.baseMs)
  }
}

export function noteEffect(book: Book, effect: Effect): void {
  switch (effect.type) {
    case 'spawnWorker':
      return noteSpawn(book, effect)
    case 'seatWorker':
      return withEntry(book, effect.id, (entry) => {
        Object.assign(entry, { slot: effect.slot, waits: false, startedAt: book.now })
        seatOf(book, effect.slot).newest = entry.generation
      })
    case 'drainWorker':
      return withEntry(book, effect.id, (entry) => {
        if (entry.readyAt !== undefined && book.now - entry.readyAt >= book.settings.stableMs) seatOf(book, entry.slot).failures = 0
        Object.assign(entry, { drainedAt: book.now, drainReason: effect.reason, accepts: entry.readyAt !== undefined })
        book.socketsInDoubt = true
      })
    case 'killWorker':
      return withEntry(book, effect.id, (entry) => {
        Object.assign(entry, { killedAt: book.now, killReason: effect.reason })
      })
    case 'announce':
      return noteNotice(book, effect.notice)
    case 'finish':
      book.finished = true
      return
    case 'releaseUnusedSockets':
      book.socketsInDoubt = false
      return
    case 'releaseSockets':
      Object.assign(book, { stopping: true, leavingUntil: undefined, floor: undefined })
      return
    default:
      return assertNever(effect)
  }
}

function noteSpawn(book: Book, order: Extract<Effect, { type: 'spawnWorker' }>): void {
  if (order.slot !== -1) seatOf(book, order.slot).newest = order.generation
  book.entries.push({
    id: order.id,
    slot: order.slot,
    generation: order.generation,
    startedAt: book.now,
    spawned: false,
    readyAt: undefined,
    drainedAt: undefined,
    drainReason: undefined,
    killedAt: undefined,
    killReason: undefined,
    retireAsked: false,
    violated: false,
    stalled: false,
    overweight: false,
    worn: false,
    waits: false,
    accepts: false,
    gone: false,
  })
}

function noteNotice(book: Book, notice: Notice): void {
  if (notice.type === 'primary:phase') book.phase = notice.phase
  if (notice.type === 'primary:started') book.everRunning = true
  if (notice.type === 'primary:stopping') book.floor = undefined
  if (notice.type === 'reload:started') {
    Object.assign(book, { trying: notice.to, queued: false, restarting: undefined, everReloaded: true, soaked: false, floor: servedSlots(book) })
    book.mostSurge = Math.max(book.mostSurge, surgeOf(book))
    // The first worker of new code waits for no back-off.
    for (const seat of book.seats) Object.assign(seat, { failures: 0, notBefore: 0 })
  }
  if (notice.type === 'restart:started') {
    Object.assign(book, { good: notice.to, restarting: notice.to, restartQueued: false, floor: undefined })
    for (const seat of book.seats) Object.assign(seat, { failures: 0, failed: false, notBefore: 0 })
  }
  if (notice.type === 'restart:finished') book.restarting = undefined
  if (notice.type === 'reload:finished') Object.assign(book, { trying: undefined, good: notice.generation, floor: undefined })
  if (notice.type === 'reload:aborted') {
    if (book.trying === undefined) book.queued = false
    Object.assign(book, { trying: undefined, floor: undefined, mustAbort: false })
  }
}
