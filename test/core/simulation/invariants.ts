/** What must hold whatever happens. Each invariant is a sentence and a function that says whether it holds. */
import { snapshot } from '../../../src/core/snapshot.ts'
import { entryOf, isEmptying, isRestartOver, isSpare, isWelcome, present, seatOf, servedSlots, serves, trialMs } from './book.ts'
import type { Book, Entry } from './book.ts'
import type { Effect, Notice, State } from '../../../src/core/types.ts'
import type { Machine } from './machine.ts'

/** Checked for each effect, before it is entered in the book. */
export interface OrderInvariant {
  readonly sentence: string
  readonly holds: (book: Book, effect: Effect) => boolean
}

/** Checked after each step. */
export interface StateInvariant {
  readonly sentence: string
  readonly holds: (book: Book, state: State, machine: Machine) => boolean
}

type Order<Type extends Effect['type']> = Extract<Effect, { type: Type }>
type Told<Type extends Notice['type']> = Extract<Notice, { type: Type }>

function on<Type extends Effect['type']>(sentence: string, type: Type, holds: (book: Book, order: Order<Type>) => boolean): OrderInvariant {
  const isOne = (effect: Effect): effect is Order<Type> => effect.type === type
  return { sentence, holds: (book, effect) => !isOne(effect) || holds(book, effect) }
}

function told<Type extends Notice['type']>(sentence: string, type: Type, holds: (book: Book, notice: Told<Type>) => boolean): OrderInvariant {
  const isOne = (notice: Notice): notice is Told<Type> => notice.type === type
  return on(sentence, 'announce', (book, { notice }) => !isOne(notice) || holds(book, notice))
}

/** Also one that is gone. */
function everBeen(book: Book, id: number): Entry | undefined {
  return book.entries.find((entry) => entry.id === id)
}

function neighbours(book: Book, entry: Entry): readonly Entry[] {
  return book.entries.filter((other) => other.id !== entry.id && other.slot === entry.slot && serves(other))
}

export const ORDER_INVARIANTS: readonly OrderInvariant[] = [
  { sentence: 'after finish there is silence', holds: (book) => !book.finished },
  on('no drain of a worker that is gone', 'drainWorker', (book, { id }) => entryOf(book, id) !== undefined),
  on('no kill of a worker that is gone', 'killWorker', (book, { id }) => entryOf(book, id) !== undefined),
  on('no second kill', 'killWorker', (book, { id }) => entryOf(book, id)?.killedAt === undefined),
  on('no second drain, and none after a kill', 'drainWorker', (book, { id }) => {
    const entry = entryOf(book, id)
    return entry === undefined || isWelcome(entry)
  }),
  on('a drain has a reason', 'drainWorker', (book, { id, reason }) => {
    const entry = entryOf(book, id)
    if (entry === undefined) return true
    if (reason === 'stop') return book.stopping
    if (reason === 'scale') return entry.slot >= book.size
    if (reason === 'request') return entry.retireAsked
    if (reason === 'restart') return entry.generation < (book.restarting ?? 0)
    if (isSpare(entry) && reason === 'reload') return entry.generation !== book.good
    if (reason === 'rollback') return neighbours(book, entry).length > 0
    if (reason === 'recycle') return entry.worn && book.trying === undefined && neighbours(book, entry).some((heir) => !heir.worn)
    return neighbours(book, entry).some(
      (heir) => heir.generation === book.trying && book.now - (heir.readyAt ?? book.now) >= trialMs(book),
    )
  }),
  on('a kill has a reason', 'killWorker', (book, { id, reason }) => {
    const entry = entryOf(book, id)
    const { readyTimeoutMs, drainTimeoutMs } = book.settings
    if (entry === undefined) return true
    if (reason === 'stop-now') return book.stopAsked === 'now'
    if (reason === 'violation') return entry.violated
    if (reason === 'stalled') return entry.stalled
    if (reason === 'memory') return entry.overweight
    if (reason === 'reload-aborted') return entry.readyAt === undefined && entry.drainedAt === undefined
    if (reason === 'drain-timeout') return entry.drainedAt !== undefined && book.now - entry.drainedAt >= drainTimeoutMs
    return entry.readyAt === undefined && readyTimeoutMs > 0 && book.now - entry.startedAt >= readyTimeoutMs
  }),
  on('no boot before the start, during a stop or beyond size', 'spawnWorker', (book, { slot }) =>
    book.started && !book.stopping && (book.stopAsked === 'no' || book.leavingUntil !== undefined) && slot >= -1 && slot < book.size,
  ),
  on('a slot never holds two workers of one generation, unless one is to be recycled', 'spawnWorker', (book, { slot, generation }) =>
    slot === -1 || !book.entries.some((entry) => isWelcome(entry) && entry.slot === slot && entry.generation === generation && !entry.worn),
  ),
  on('no more spares than were asked for, and none before all slots are served, or during a reload', 'spawnWorker', (book, { slot }) => {
    if (slot !== -1) return true
    const spares = book.entries.filter((entry) => isWelcome(entry) && isSpare(entry) && entry.generation === book.good)
    return spares.length < book.settings.spares && servedSlots(book) === book.size && book.trying === undefined
  }),
  on('who gets a slot has waited for one, and the slot was free or its worker is to be replaced', 'seatWorker', (book, { id, slot }) => {
    const entry = entryOf(book, id)
    return entry?.waits === true && isWelcome(entry) && !book.entries.some((other) => isWelcome(other) && other.slot === slot && other.generation === entry.generation && !other.worn)
  }),
  on('no spare is given a slot before the published back-off', 'seatWorker', (book, { slot }) => book.now >= seatOf(book, slot).notBefore),
  on('one worker is recycled at a time', 'spawnWorker', (book, { slot, generation }) => {
    const isRenewal = slot !== -1 && book.entries.some((entry) => isWelcome(entry) && entry.slot === slot && entry.generation === generation)
    return !isRenewal || !present(book).some((entry) => entry.drainReason === 'recycle' && entry.killedAt === undefined)
  }),
  on('one worker tries new code until it is proven', 'spawnWorker', (book, { generation }) =>
    generation !== book.trying || book.soaked || trialMs(book) === 0 || !book.entries.some((entry) => isWelcome(entry) && entry.generation === generation),
  ),
  on('no boot before the published back-off', 'spawnWorker', (book, { slot }) => book.now >= (slot === -1 ? book.spare : seatOf(book, slot)).notBefore),
  on('a worker belongs to the good generation or to the one that is tried', 'spawnWorker', (book, { generation }) =>
    generation === book.good || generation === book.trying,
  ),
  on('the generation of a slot only grows, but for a rollback', 'spawnWorker', (book, { slot, generation }) =>
    slot === -1 || generation >= seatOf(book, slot).newest || book.trying === undefined || seatOf(book, slot).newest !== book.trying,
  ),
  told('killed is who was ended by our signal; who had gone by itself is not', 'worker:exited', (book, { id, kind, killReason, exit }) => {
    const { killedAt, killReason: ordered } = everBeen(book, id) ?? {}
    const killed = killedAt !== undefined && (exit.signal === 'SIGKILL' || (ordered === 'stalled' && exit.signal === 'SIGINT'))
    return (kind === 'killed') === killed && (killReason !== undefined) === killed
  }),
  told('retired is who had been told to go, and was not killed', 'worker:exited', (book, { id, kind }) => {
    const entry = everBeen(book, id)
    return kind === 'killed' || (kind === 'retired') === (entry?.drainedAt !== undefined)
  }),
  told('a reload begins only when it was asked for and none is under way', 'reload:started', (book) => book.queued && book.trying === undefined && book.stopAsked === 'no'),
  told('a reload begins when few enough generations drain', 'reload:started', (book) => {
    const draining = present(book).filter((entry) => entry.drainedAt !== undefined && entry.killedAt === undefined)
    return new Set(draining.map((entry) => entry.generation)).size < book.settings.maxDraining
  }),
  on('in a restart nobody boots while a worker of the old code is there', 'spawnWorker', (book) => !isEmptying(book)),
  told('a restart begins only when it was asked for and nothing else is under way', 'restart:started', (book) => book.restartQueued && book.trying === undefined && book.stopAsked === 'no' && isRestartOver(book)),
  told('a restart is over when every slot is served, by the new code', 'restart:finished', (book, { generation }) =>
    generation === book.restarting && !isEmptying(book) && servedSlots(book) === book.size,
  ),
  told('a reload waits for the end of a restart, unless its code fails', 'reload:started', (book) => isRestartOver(book)),
  told('a success is told of the reload that is under way', 'reload:finished', (book, { generation }) => generation === book.trying),
  told('a success means that every slot is served by the new generation', 'reload:finished', (book, { generation }) =>
    book.entries.filter((entry) => serves(entry) && entry.generation === generation).length >= book.size,
  ),
  told('a success means that nobody who connects meets old code', 'reload:finished', (book, { generation }) =>
    !present(book).some((entry) => entry.accepts && entry.killedAt === undefined && entry.generation !== generation),
  ),
  told('an abort answers a request, and names the generation that serves on', 'reload:aborted', (book, { generation, failure }) =>
    generation === book.good && (book.trying !== undefined || (book.queued && (failure.why === 'stopped' || failure.why === 'cancelled'))),
  ),
  told('nobody gives up while a worker serves or boots', 'primary:stopping', (book, { outcome }) =>
    outcome.name !== 'failed' || book.stopping || !book.entries.some(isWelcome),
  ),
  told('nobody gives up before the slots have failed often enough', 'primary:stopping', (book, { outcome }) => {
    if (outcome.name !== 'failed') return true
    if (outcome.everReady !== book.everReady || book.losses === 0) return false
    if (!book.everReady || book.everReloaded) return true
    return Array.from({ length: book.size }, (_, slot) => slot).every((slot) => seatOf(book, slot).failures >= book.settings.maxFailures)
  }),
  on('sockets survive until every slot serves and no reload may need them', 'releaseUnusedSockets', (book) =>
    book.socketsInDoubt && servedSlots(book) === book.size && book.trying === undefined && !book.stopping,
  ),
  on('sockets are given up once, when a stop has begun', 'releaseSockets', (book) =>
    !book.stopping && (book.leavingUntil === undefined || book.now >= book.leavingUntil || !book.entries.some(isWelcome)),
  ),
  on('the end comes when all are gone', 'finish', (book) => present(book).length === 0),
  on('the end leaves no reload unanswered', 'finish', (book) => book.trying === undefined && !book.queued),
]

function unservedAfterFailure(book: Book): boolean {
  return Array.from({ length: book.size }, (_, slot) => slot).some(
    (slot) => seatOf(book, slot).failed && !book.entries.some((entry) => entry.slot === slot && serves(entry)),
  )
}

/** Nobody serves or boots there, and nobody's exit is awaited to know when the next may. */
function emptySlots(book: Book): readonly number[] {
  const held = new Set(present(book).filter((entry) => isWelcome(entry) || (entry.drainedAt === undefined && entry.killedAt !== undefined)).map(({ slot }) => slot))
  return Array.from({ length: book.size }, (_, slot) => slot).filter((slot) => !held.has(slot))
}

export const STATE_INVARIANTS: readonly StateInvariant[] = [
  {
    sentence: 'at most one worker serves or boots per slot, and one more during a reload, in as many slots as may surge, or a renewal, in one',
    holds: (book) => {
      const counts = new Map<number, number>()
      for (const entry of book.entries) if (isWelcome(entry) && !isSpare(entry)) counts.set(entry.slot, (counts.get(entry.slot) ?? 0) + 1)
      const doubled = [...counts.values()].filter((count) => count > 1)
      const limit = book.everReloaded ? book.mostSurge : book.everWorn ? 1 : 0
      return doubled.length <= limit && doubled.every((count) => count === 2)
    },
  },
  {
    sentence: 'no more than size + surge workers serve or boot',
    holds: (book) => book.entries.filter((entry) => isWelcome(entry) && !isSpare(entry)).length <= book.size + (book.everReloaded ? book.mostSurge : book.everWorn ? 1 : 0),
  },
  {
    sentence: 'no more than bootParallel workers boot at a time',
    holds: (book) => book.entries.filter((entry) => isWelcome(entry) && entry.readyAt === undefined && !entry.waits).length <= book.settings.bootParallel,
  },
  {
    sentence: 'an empty slot boots as soon as its back-off is over',
    holds: (book) => {
      if (!book.started || book.stopping || book.stopAsked !== 'no' || !book.everReady || book.everReloaded || isEmptying(book)) return true
      const booting = book.entries.filter((entry) => isWelcome(entry) && entry.readyAt === undefined && !entry.waits)
      return booting.length >= book.settings.bootParallel || emptySlots(book).every((slot) => book.now < seatOf(book, slot).notBefore + 2)
    },
  },
  {
    sentence: 'who is not ready in time is killed',
    holds: (book) => {
      const { readyTimeoutMs } = book.settings
      return readyTimeoutMs === 0 || !book.entries.some((entry) => isWelcome(entry) && entry.readyAt === undefined && !entry.waits && book.now - entry.startedAt >= readyTimeoutMs)
    },
  },
  {
    sentence: 'who does not leave in time is killed',
    holds: (book) =>
      !present(book).some(
        (entry) => entry.drainedAt !== undefined && entry.killedAt === undefined && book.now - entry.drainedAt >= book.settings.drainTimeoutMs,
      ),
  },
  {
    sentence: 'a request to leave, a violation, a stall and too much memory are acted on at once',
    holds: (book) => !book.entries.some((entry) => isWelcome(entry) && (entry.retireAsked || entry.violated || entry.stalled || entry.overweight)),
  },
  {
    sentence: 'a stop sends everybody away at once, a stop now kills',
    holds: (book) =>
      !book.started ||
      !present(book).some((entry) => (book.stopping && isWelcome(entry)) || (book.stopAsked === 'now' && entry.killedAt === undefined)),
  },
  {
    sentence: 'a stop begins when its time has come, and not before it was asked for',
    holds: (book) => book.stopAsked === 'no' || book.stopping || (book.leavingUntil !== undefined && book.now < book.leavingUntil),
  },
  { sentence: 'a reload takes no slot out of service', holds: (book) => book.floor === undefined || servedSlots(book) >= book.floor },
  { sentence: 'a reload is aborted as soon as a worker of the new code is lost on trial, or somebody wants it aborted', holds: (book) => !book.mustAbort },
  { sentence: 'a restart sends everybody away at once', holds: (book) => book.restarting === undefined || !book.entries.some((entry) => isWelcome(entry) && entry.generation < (book.restarting ?? 0)) },
  { sentence: 'a failed reload leaves the serving generation unchanged', holds: (book, state) => snapshot(state).generation === book.good },
  {
    sentence: 'sockets that nobody uses are given up as soon as every slot serves and no reload is under way',
    holds: (book, state) => !book.socketsInDoubt || book.stopping || !book.started || servedSlots(book) < book.size || snapshot(state).reload !== undefined,
  },
  {
    sentence: 'the phase that was told is the true one',
    holds: (book, state) => {
      const { phase } = snapshot(state)
      if (phase !== book.phase) return false
      if (book.leavingUntil !== undefined) return phase === 'stopping'
      if (!book.started || book.stopping) return phase !== 'running' && phase !== 'degraded'
      if (servedSlots(book) === book.size) return phase === 'running'
      return phase === (book.everReady && unservedAfterFailure(book) ? 'degraded' : book.everRunning ? 'running' : 'starting')
    },
  },
  {
    sentence: 'the state knows exactly the workers that exist',
    holds: (book, state) => snapshot(state).workers.map((worker) => worker.id).join() === present(book).map((entry) => entry.id).join(),
  },
  {
    sentence: 'the timer lies in the future',
    holds: (book, state, machine) => (machine.wakeAt(state, book.now) ?? Number.POSITIVE_INFINITY) > book.now,
  },
  { sentence: 'the same time twice does nothing', holds: (book, state, machine) => machine.step(state, { type: 'timePassed', at: book.now }).effects.length === 0 },
  {
    sentence: 'nothing is stuck: what is not settled has a worker under way or a timer',
    holds: (book, state, machine) => {
      if (!book.started || book.finished) return true
      if (book.leavingUntil !== undefined) return machine.wakeAt(state, book.now) !== undefined
      const settled = servedSlots(book) === book.size && book.trying === undefined && !book.queued && book.restarting === undefined && !book.restartQueued && !book.stopping
      return settled || present(book).some((entry) => !serves(entry) && !(entry.waits && isWelcome(entry))) || machine.wakeAt(state, book.now) !== undefined
    },
  },
]
