/** One schedule: an adversarial prefix, then a fair end in which everything must come to rest. */
import { initialState } from '../../../src/core/initial-state.ts'
import { isSpare, isWelcome, openBook, present, servedSlots, serves } from './book.ts'
import { ORDER_INVARIANTS, STATE_INVARIANTS } from './invariants.ts'
import { noteEffect, noteEvent } from './observe.ts'
import { randomFrom } from './random.ts'
import { BOOTS_FAIL, happen, makeFair, newWorld, NO_FAULTS, obey, randomFaults, randomSettings, upcoming } from './world.ts'
import type { Effect, Event, State } from '../../../src/core/types.ts'
import type { Book } from './book.ts'
import type { Machine } from './machine.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

/** How a schedule ended: `problem` is the sentence that did not hold. */
export interface Verdict {
  readonly seed: number
  readonly events: number
  readonly end: 'steady' | 'stopped' | 'failed' | 'degraded'
  readonly problem: string | undefined
  readonly trace: readonly string[]
  /** What occurred, for the test to see that the schedules reach the narrow places. */
  readonly seen: ReadonlySet<string>
}

interface Run {
  readonly machine: Machine
  readonly random: Random
  readonly world: World
  readonly book: Book
  readonly trace: string[] | undefined
  readonly seen: Set<string>
  state: State
  events: number
  problem: string | undefined
}

const PREFIX_EVENTS = 60
const FAIR_EVENTS = 1500
const FAIR_MS = 60_000

export function runSchedule(seed: number, machine: Machine, traced = false): Verdict {
  const random = randomFrom(seed)
  const size = random.between(1, 4)
  const settings = randomSettings(random, size)
  const run: Run = {
    machine,
    random,
    world: newWorld(randomFaults(random)),
    book: openBook(settings, size),
    seen: new Set(),
    trace: traced ? [JSON.stringify({ size, settings })] : undefined,
    state: initialState(settings, size),
    events: 0,
    problem: undefined,
  }
  try {
    if (random.chance(0.95)) deliver(run, { type: 'startRequested', at: 0 })
    const commands = random.pick([0, 0.05, 0.2])
    while (run.events < PREFIX_EVENTS && run.problem === undefined && !run.book.finished) advance(run, commands)
    if (run.problem === undefined && !run.book.finished) settleDown(run)
  } catch (error) {
    run.problem = `the core throws: ${String(error)}`
  }
  return { seed, events: run.events, end: endOf(run.book, run.state), problem: run.problem, trace: run.trace ?? [], seen: run.seen }
}

function endOf(book: Book, state: State): Verdict['end'] {
  if (book.finished) return state.stop?.outcome.name === 'failed' ? 'failed' : 'stopped'
  return servedSlots(book) === book.size ? 'steady' : 'degraded'
}

/** One event: a command, a ghost, the timer, or whatever a process does next. */
function advance(run: Run, commands: number): void {
  const { random, book } = run
  if (random.chance(commands)) return deliver(run, randomCommand(random, book, book.now + random.pick([0, 0, 1, 30, 300])))
  if (random.chance(0.02)) return deliver(run, randomGhost(random, book))
  const next = nextEvent(run)
  return deliver(run, next ?? randomCommand(random, book, book.now + random.between(1, 2000)))
}

/** Timers fire late or in time, never early. Undefined when nothing is going on. */
function nextEvent(run: Run): Event | undefined {
  const { random, world, book } = run
  const item = upcoming(world)
  const wake = run.machine.wakeAt(run.state, book.now)
  const lateness = random.chance(world.faults.lateTimer) ? random.between(1, 500) : 0
  if (wake !== undefined && (item === undefined || wake + lateness < item.at)) return { type: 'timePassed', at: wake + lateness }
  return item === undefined ? undefined : happen(world, random, item, book.now)
}

function randomCommand(random: Random, book: Book, asked: number): Event {
  const due = upcomingLimit(book, asked)
  const kind = random.between(0, 99)
  if (kind < 32) return { type: 'reloadRequested', at: due }
  if (kind < 36) return { type: 'reloadAbortRequested', at: due }
  if (kind < 40) return { type: 'restartRequested', at: due }
  if (kind < 70) return { type: 'scaleRequested', at: due, size: random.between(1, 4) }
  if (kind < 76) return { type: 'stopRequested', at: due, how: random.pick(['graceful', 'graceful', 'now']), delayMs: random.pick([0, 0, 20, 700]) }
  const ids = present(book).map((entry) => entry.id)
  if (ids.length === 0) return { type: 'timePassed', at: due }
  return { type: random.pick(['workerRetireRequested', 'workerRetireRequested', 'workerViolated']), at: due, id: random.pick(ids) }
}

/** Time does not run backwards. */
function upcomingLimit(book: Book, asked: number): number {
  return Math.max(book.now, asked)
}

/** Late news of a worker that is gone or never was. */
function randomGhost(random: Random, book: Book): Event {
  const gone = book.entries.filter((entry) => entry.gone).map((entry) => entry.id)
  const id = random.pick([9999, ...gone])
  const at = book.now
  const exit = { code: 1, signal: null }
  return random.pick<Event>([
    { type: 'workerReady', at, id },
    { type: 'workerWaits', at, id },
    { type: 'workerClosed', at, id },
    { type: 'workerExited', at, id, exit, chance: 0.5 },
    { type: 'workerViolated', at, id },
    { type: 'workerStalled', at, id, silentMs: 100 },
    { type: 'workerOverweight', at, id },
    { type: 'workerUnfit', at, id, said: 'many errors' },
    { type: 'workerWorn', at, id, why: 'lifetime', value: 1 },
    { type: 'workerRetireRequested', at, id },
    { type: 'workerSpawned', at, id, pid: 1 },
    { type: 'workerSpawnFailed', at, id, code: 'EAGAIN', chance: 0.5 },
    { type: 'startRequested', at },
  ])
}

function deliver(run: Run, event: Event): void {
  const { book, machine } = run
  const before = run.state
  run.events += 1
  const result = machine.step(before, event)
  run.trace?.push(`${event.at} ${JSON.stringify(event)}`, ...result.effects.map((effect) => `      ${JSON.stringify(effect)}`))
  run.state = result.state
  run.problem ??= check(book, before, event, result.state, result.effects, machine)
  for (const effect of result.effects) run.seen.add(labelOf(effect))
  for (const effect of result.effects) obey(run.world, run.random, event.at, effect)
}

function labelOf(effect: Effect): string {
  if (effect.type === 'announce') {
    const { notice } = effect
    if (notice.type === 'primary:stopping') return `${notice.type} ${notice.inMs > 0 ? 'later' : 'now'}`
    return notice.type === 'reload:aborted' ? `${notice.type} ${notice.failure.why}` : notice.type
  }
  if (effect.type === 'finish') return `finish ${effect.outcome.name}`
  return 'reason' in effect ? `${effect.type} ${effect.reason}` : effect.type
}

/** Enters a step in the book and says which sentence it breaks. */
export function check(book: Book, before: State, event: Event, after: State, effects: readonly Effect[], machine: Machine): string | undefined {
  noteEvent(book, event, before.reload !== undefined)
  for (const effect of effects) {
    const broken = ORDER_INVARIANTS.find((invariant) => !invariant.holds(book, effect))
    if (broken !== undefined) return broken.sentence
    noteEffect(book, effect)
  }
  return STATE_INVARIANTS.find((invariant) => !invariant.holds(book, after, machine))?.sentence
}

/** No more commands; boots succeed from now on, or fail from now on. */
function settleDown(run: Run): void {
  const { book, world, random } = run
  if (!book.started) {
    deliver(run, { type: 'stopRequested', at: book.now, how: 'graceful' })
    if (!book.finished) run.problem ??= 'a stop before the start ends at once'
    return
  }
  const doomed = random.chance(0.3)
  const here = present(book)
  const told = new Set(here.filter((entry) => !isWelcome(entry)).map((entry) => entry.id))
  const booting = new Set(here.filter((entry) => isWelcome(entry) && !serves(entry) && !entry.waits).map((entry) => entry.id))
  makeFair(world, random, book.now, doomed ? BOOTS_FAIL : NO_FAULTS, told, booting)
  const beginning = book.now
  const spawnedBefore = book.entries.length
  for (let count = 0; count < FAIR_EVENTS && book.now - beginning < FAIR_MS; count += 1) {
    const event = nextEvent(run)
    if (event !== undefined) deliver(run, event)
    if (event === undefined || run.problem !== undefined || book.finished) break
  }
  run.problem ??= judge(run, doomed, book.entries.length - spawnedBefore)
}

/** Where quiet must lead. */
function judge(run: Run, doomed: boolean, boots: number): string | undefined {
  const { book, state } = run
  if (book.finished) return undefined
  if (book.trying !== undefined || book.queued) return 'in quiet every reload is answered'
  if (!doomed && (book.restarting !== undefined || book.restartQueued)) return 'in quiet every restart comes to its end'
  if (doomed && present(book).some(serves)) {
    // Each slot tries again in back-off; with the cap at 400 ms and 20 % jitter that is 200 attempts a minute.
    return boots <= (book.size + book.settings.spares) * (FAIR_MS / 320 + 12) ? undefined : 'a slot that keeps failing boots no more often than the cap allows'
  }
  if (doomed) return 'when nobody serves and all boots fail, the supervisor gives up'
  const serving = present(book).filter(serves)
  const spares = present(book).filter((entry) => isSpare(entry) && isWelcome(entry))
  if (spares.length !== book.settings.spares || spares.some((entry) => entry.generation !== book.good)) return 'in quiet as many spares wait as were asked for, of the good generation'
  if (serving.length !== book.size || present(book).length !== book.size + spares.length || servedSlots(book) !== book.size) return 'in quiet exactly size workers serve'
  if (serving.some((entry) => entry.worn)) return 'in quiet who has reached a limit is replaced'
  if (serving.some((entry) => entry.generation !== book.good)) return 'in quiet all workers are of the good generation'
  return state.reload === undefined && upcoming(run.world) === undefined ? undefined : 'in quiet nothing is under way'
}
