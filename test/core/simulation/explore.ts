/** Every order of events up to a depth, for small sizes: what random schedules miss by chance. */
import { initialState } from '../../../src/core/initial-state.ts'
import { copyBook, isSpare, isWelcome, openBook, present, servedSlots, serves } from './book.ts'
import { check } from './run.ts'
import { stateKey } from './state-key.ts'
import type { CoreSettings, Event, State } from '../../../src/core/types.ts'
import type { Book } from './book.ts'
import type { Machine } from './machine.ts'

interface Node {
  readonly state: State
  readonly book: Book
  readonly path: readonly Event[]
}

export interface Exploration {
  readonly states: number
  readonly transitions: number
  readonly problem: string | undefined
  readonly path: readonly Event[]
}

export interface Limits {
  readonly size: number
  readonly depth: number
  /** Where it begins: just started, or running in peace. */
  readonly from: 'start' | 'running'
  /** Each state that is found is also left alone, and must come to rest. */
  readonly calm: boolean
}

/** Breadth first from the start, over states that differ in more than the clock and the numbering. */
export function explore(settings: CoreSettings, limits: Limits, machine: Machine): Exploration {
  const seen = new Set<string>()
  let transitions = 0
  let frontier: readonly Node[] = [beginning(settings, limits, machine)]
  for (let depth = 1; depth <= limits.depth; depth += 1) {
    const found: Node[] = []
    for (const node of frontier) {
      for (const event of choices(node, machine)) {
        transitions += 1
        const next = follow(node, event, machine)
        if (next.problem !== undefined) return { states: seen.size, transitions, problem: next.problem, path: next.node.path }
        const key = stateKey(next.node.state, next.node.book.now)
        if (seen.has(key)) continue
        seen.add(key)
        const unrest = limits.calm ? calm(next.node, machine) : undefined
        if (unrest !== undefined) return { states: seen.size, transitions, problem: unrest, path: next.node.path }
        found.push(next.node)
      }
    }
    frontier = found
  }
  return { states: seen.size, transitions, problem: undefined, path: [] }
}

function beginning(settings: CoreSettings, limits: Limits, machine: Machine): Node {
  const idle: Node = { state: initialState(settings, limits.size), book: openBook(settings, limits.size), path: [] }
  let { node } = follow(idle, { type: 'startRequested', at: 0 }, machine)
  while (limits.from === 'running') {
    const event = calmEvent(node, machine)
    if (event === undefined) break
    node = follow(node, event, machine).node
  }
  return node
}

function follow(node: Node, event: Event, machine: Machine): { readonly node: Node; readonly problem: string | undefined } {
  const book = copyBook(node.book)
  const { state, effects } = machine.step(node.state, event)
  const problem = check(book, node.state, event, state, effects, machine)
  return { node: { state, book, path: [...node.path, event] }, problem }
}

/** All that can happen next. */
function choices({ state, book }: Node, machine: Machine): readonly Event[] {
  if (book.finished) return []
  const at = book.now
  const wake = machine.wakeAt(state, at)
  const otherSize = book.size === 1 ? 2 : 1
  return [
    ...(wake === undefined ? [] : [{ type: 'timePassed', at: wake } as const]),
    { type: 'reloadRequested', at },
    ...(book.trying !== undefined || book.queued ? [{ type: 'reloadAbortRequested', at } as const] : []),
    { type: 'restartRequested', at },
    { type: 'scaleRequested', at, size: otherSize },
    { type: 'stopRequested', at, how: 'graceful' },
    { type: 'stopRequested', at, how: 'graceful', delayMs: 15 },
    { type: 'stopRequested', at, how: 'now' },
    ...present(book).flatMap((entry): readonly Event[] => {
      const { id } = entry
      if (!entry.spawned) return [{ type: 'workerSpawned', at, id, pid: id }, { type: 'workerSpawnFailed', at, id, code: 'EAGAIN', chance: 0.5 }]
      const exit = entry.killedAt === undefined ? { code: 1, signal: null } : { code: null, signal: 'SIGKILL' }
      const exited: Event = { type: 'workerExited', at, id, exit, chance: 0.5 }
      if (isSpare(entry)) return entry.waits ? [exited] : [exited, { type: 'workerWaits', at, id }]
      if (entry.readyAt === undefined) return [exited, { type: 'workerReady', at, id }]
      return isWelcome(entry) ? [exited, { type: 'workerRetireRequested', at, id }, { type: 'workerViolated', at, id }, { type: 'workerWorn', at, id, why: 'memory', value: 1 }] : entry.accepts ? [exited, { type: 'workerClosed', at, id }] : [exited]
    }),
  ]
}

const CALM_STEPS = 200

/** Boots succeed, who is told to go goes, time passes: that must lead to rest. */
function calm(from: Node, machine: Machine): string | undefined {
  let node = from
  for (let count = 0; count < CALM_STEPS; count += 1) {
    const event = calmEvent(node, machine)
    if (event === undefined) return atRest(node.book) ? undefined : 'left alone, it comes to rest'
    const next = follow(node, event, machine)
    if (next.problem !== undefined) return next.problem
    node = next.node
  }
  return 'left alone, it comes to rest soon'
}

function calmEvent({ state, book }: Node, machine: Machine): Event | undefined {
  if (book.finished) return undefined
  const at = book.now
  for (const entry of present(book)) {
    const { id } = entry
    if (!entry.spawned) return { type: 'workerSpawned', at, id, pid: id }
    if (!isWelcome(entry)) return { type: 'workerExited', at, id, exit: { code: 0, signal: null }, chance: 0.5 }
    if (isSpare(entry) && !entry.waits) return { type: 'workerWaits', at, id }
    if (!isSpare(entry) && !serves(entry)) return { type: 'workerReady', at, id }
  }
  const wake = machine.wakeAt(state, at)
  return wake === undefined ? undefined : { type: 'timePassed', at: wake }
}

function atRest(book: Book): boolean {
  if (book.finished) return true
  const all = present(book)
  const settled = book.trying === undefined && !book.queued && book.restarting === undefined && !book.restartQueued && servedSlots(book) === book.size
  const spares = all.filter((entry) => entry.waits)
  return settled && spares.length === book.settings.spares && all.length === book.size + spares.length && all.every((entry) => entry.generation === book.good && !entry.worn)
}
