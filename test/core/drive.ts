/** A supervisor to play with by hand: tell it what happened, read what it ordered and said. */
import { assertNever } from '../../src/base/assert-never.ts'
import { initialState } from '../../src/core/initial-state.ts'
import { step } from '../../src/core/step.ts'
import { NO_SLOT } from '../../src/core/types.ts'
import { wakeAt } from '../../src/core/wake-at.ts'
import type { CoreSettings, Effect, Event, Notice, State } from '../../src/core/types.ts'

export const SETTINGS: CoreSettings = {
  readyTimeoutMs: 5000,
  drainTimeoutMs: 2000,
  bootParallel: 4,
  stableMs: 60_000,
  provenMs: 1000,
  canaryMs: 0,
  surge: { count: 1 },
  maxDraining: 3,
  spares: 0,
  maxFailures: 3,
  backoff: { baseMs: 1000, factor: 1.5, capMs: 30_000, jitter: 0 },
}

/** The orders and the notices of a step, one line each. */
export interface Told {
  readonly orders: readonly string[]
  readonly said: readonly string[]
}

type Untimed<E> = E extends Event ? Omit<E, 'at'> : never

export interface Drive {
  /** Tells an event at the present time. */
  readonly tell: (event: Untimed<Event>) => Told
  /** Lets the time pass up to `at`, without a word to the supervisor. */
  readonly clock: (at: number) => void
  /** Lets the time pass up to the timer and fires it. */
  readonly wake: () => Told
  readonly up: (...ids: readonly number[]) => Told
  /** Without a code: what the worker was told last, or else 1. */
  readonly exit: (id: number, code?: number) => Told
  readonly state: () => State
  readonly now: () => number
  readonly wakesAt: () => number | undefined
  /** How often it ordered to give up unused sockets; not among the orders, where it would be noise. */
  readonly frees: () => number
}

/** @param isPrompt whoever drains says at once that it takes no more connections */
export function drive(size: number, settings: Partial<CoreSettings> = {}, isPrompt = true): Drive {
  let state = initialState({ ...SETTINGS, ...settings }, size)
  let now = 0
  let frees = 0
  const send = (event: Event): Told => {
    const result = step(state, event)
    state = result.state
    frees += result.effects.filter(({ type }) => type === 'releaseUnusedSockets').length
    const told = { orders: result.effects.flatMap(orderLine), said: result.effects.flatMap(noticeLine) }
    return isPrompt ? closeDrained(result.effects, told) : told
  }
  /** Who drains accepts no more, at once. */
  const closeDrained = (effects: readonly Effect[], told: Told): Told => {
    const closed = effects.flatMap((effect) => (effect.type === 'drainWorker' ? [send({ type: 'workerClosed', at: now, id: effect.id })] : []))
    return { orders: [...told.orders, ...closed.flatMap(({ orders }) => orders)], said: [...told.said, ...closed.flatMap(({ said }) => said)] }
  }
  const up = (ids: readonly number[]): Told => {
    const parts = ids.flatMap((id) => [send({ type: 'workerSpawned', at: now, id, pid: 100 + id }), send({ type: 'workerReady', at: now, id })])
    return { orders: parts.flatMap((part) => part.orders), said: parts.flatMap((part) => part.said) }
  }
  return {
    tell: (event) => send({ ...event, at: now }),
    clock: (at) => {
      now = at
    },
    wake: () => {
      now = wakeAt(state, now) ?? now
      return send({ type: 'timePassed', at: now })
    },
    up: (...ids) => up(ids),
    exit: (id, code) => {
      const isKilled = code === undefined && state.workers.some((worker) => worker.id === id && worker.phase.name === 'killed')
      const exit = isKilled ? { code: null, signal: 'SIGKILL' } : { code: code ?? 1, signal: null }
      return send({ type: 'workerExited', at: now, id, exit, chance: 0.5 })
    },
    state: () => state,
    now: () => now,
    wakesAt: () => wakeAt(state, now),
    frees: () => frees,
  }
}

/** A supervisor with `size` ready workers 1 to size, at time 0. */
export function running(size: number, settings: Partial<CoreSettings> = {}, isPrompt = true): Drive {
  const supervisor = drive(size, settings, isPrompt)
  supervisor.tell({ type: 'startRequested' })
  for (let id = 1; id <= size; id += 1) supervisor.up(id)
  return supervisor
}

function orderLine(effect: Effect): readonly string[] {
  switch (effect.type) {
    case 'spawnWorker':
      return [effect.slot === NO_SLOT ? `spawn ${effect.id} as a spare of ${effect.generation}` : `spawn ${effect.id} in ${effect.slot} of ${effect.generation}`]
    case 'seatWorker':
      return [`seat ${effect.id} in ${effect.slot}`]
    case 'drainWorker':
    case 'killWorker':
      return [`${effect.type === 'drainWorker' ? 'drain' : 'kill'} ${effect.id} ${effect.reason}`]
    case 'releaseSockets':
      return ['release sockets']
    case 'finish':
      return [`finish ${effect.outcome.name}`]
    case 'announce':
    case 'releaseUnusedSockets':
      return []
    default:
      return assertNever(effect)
  }
}

function noticeLine(effect: Effect): readonly string[] {
  return effect.type === 'announce' ? [`${effect.notice.type}${detail(effect.notice)}`] : []
}

function detail(notice: Notice): string {
  switch (notice.type) {
    case 'primary:phase':
      return ` ${notice.phase}`
    case 'primary:stopping':
      return ` ${notice.how} ${notice.outcome.name}${notice.inMs > 0 ? ` in ${notice.inMs}` : ''}`
    case 'primary:stopped':
      return ` ${notice.outcome.name}`
    case 'primary:started':
      return ` ${notice.size} in ${notice.tookMs}`
    case 'worker:exited':
      return ` ${notice.id} ${notice.kind} ${notice.respawnInMs === undefined ? 'for good' : `back in ${notice.respawnInMs}`}`
    case 'worker:spawn-failed':
      return ` ${notice.id} in ${notice.slot} of ${notice.generation} ${notice.code} back in ${notice.respawnInMs}`
    case 'reload:started':
      return ` ${notice.from} to ${notice.to}`
    case 'restart:started':
      return ` ${notice.from} to ${notice.to}`
    case 'restart:finished':
    case 'reload:finished':
      return ` ${notice.generation}`
    case 'reload:aborted':
      return ` ${notice.generation} slot ${notice.failure.slot} ${notice.failure.why}`
    case 'scale:changed':
      return ` ${notice.from} to ${notice.to}`
    case 'worker:spawned':
    case 'worker:ready':
    case 'worker:draining':
      return ` ${notice.id}`
    case 'worker:stalled':
      return ` ${notice.id} for ${notice.silentMs}`
    case 'worker:worn':
      return ` ${notice.id} ${notice.why}`
    default:
      return assertNever(notice)
  }
}
