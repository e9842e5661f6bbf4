/**
 * The adversarial world: processes that become ready, die, hang, ignore the drain, fail to start or
 * say goodbye; a kill that takes its time; late timers; ghosts. Events of one process keep their
 * order, everything else may happen in any.
 */
import type { CoreSettings, Effect, Event } from '../../../src/core/types.ts'
import type { Random } from './random.ts'

/** Which faults a run may show, as probabilities. Each run enables a random part of them, so that rare ones are not masked. */
export interface Faults {
  readonly spawnFails: number
  readonly bootDies: number
  readonly bootHangs: number
  readonly dies: number
  readonly leaves: number
  readonly violates: number
  readonly stalls: number
  readonly wears: number
  readonly unfit: number
  readonly ignoresDrain: number
  readonly lateTimer: number
}

/** What is bound to happen to a process unless it is told otherwise. */
interface Coming {
  readonly at: number
  readonly order: number
  readonly id: number
  readonly kind: 'spawned' | 'spawn-failed' | 'ready' | 'exited' | 'leaves' | 'violates' | 'stalls' | 'overweight' | 'wears' | 'unfit' | 'closed'
}

export interface World {
  coming: Coming[]
  order: number
  /** When the process of a worker exists; undefined when it never will. */
  readonly bornAt: Map<number, number | undefined>
  /** Who has no slot yet. */
  readonly spares: Set<number>
  faults: Faults
  /** How much of the faults of the app each generation shows: some code is good, some is worse than usual. */
  readonly badness: Map<number, number>
}

export const NO_FAULTS: Faults = {
  spawnFails: 0,
  bootDies: 0,
  bootHangs: 0,
  dies: 0,
  leaves: 0,
  violates: 0,
  stalls: 0,
  wears: 0,
  unfit: 0,
  ignoresDrain: 0,
  lateTimer: 0,
}

export const BOOTS_FAIL: Faults = { ...NO_FAULTS, bootDies: 1 }

export function randomFaults(random: Random): Faults {
  const maybe = (): number => (random.chance(0.5) ? 0 : random.pick([0.1, 0.3, 0.9]))
  return {
    spawnFails: random.chance(0.7) ? 0 : 0.4,
    bootDies: maybe(),
    bootHangs: random.chance(0.6) ? 0 : 0.2,
    dies: maybe(),
    leaves: maybe() / 3,
    violates: maybe() / 3,
    stalls: maybe() / 3,
    wears: maybe() / 2,
    unfit: maybe() / 3,
    ignoresDrain: maybe(),
    lateTimer: maybe(),
  }
}

export function randomSettings(random: Random, size: number): CoreSettings {
  return {
    readyTimeoutMs: random.pick([0, 300, 1000]),
    drainTimeoutMs: random.pick([0, 100, 500, 2000]),
    bootParallel: random.between(1, size),
    stableMs: random.pick([500, 2000]),
    provenMs: random.pick([0, 200, 600]),
    canaryMs: random.pick([0, 0, 400, 900]),
    surge: random.pick([{ count: 1 }, { count: 1 }, { count: 2 }, { percent: 50 }, { percent: 100 }]),
    maxDraining: random.between(1, 3),
    spares: random.pick([0, 0, 0, 0, 0, 1, 2]),
    maxFailures: random.between(1, 4),
    backoff: { baseMs: 100, factor: 1.5, capMs: 400, jitter: random.pick([0, 0.2]) },
  }
}

export function newWorld(faults: Faults): World {
  return { coming: [], order: 0, bornAt: new Map(), spares: new Set(), faults, badness: new Map() }
}

function plan(world: World, id: number, at: number, kind: Coming['kind']): void {
  world.order += 1
  world.coming.push({ at, order: world.order, id, kind })
}

/** What an order of the supervisor sets in motion. */
export function obey(world: World, random: Random, now: number, effect: Effect): void {
  if (effect.type === 'spawnWorker' && effect.slot === -1) world.spares.add(effect.id)
  if (effect.type === 'seatWorker') {
    world.spares.delete(effect.id)
    plan(world, effect.id, now + random.between(0, 50), 'ready')
  }
  if (effect.type === 'spawnWorker') planLife(world, random, now, effect.id, faultsOf(world, random, effect.generation))
  if (effect.type === 'drainWorker' && !random.chance(world.faults.ignoresDrain)) planExit(world, effect.id, now + random.between(0, 400))
  if (effect.type === 'drainWorker' && random.chance(0.9)) plan(world, effect.id, now + random.pick([0, 5, 300]), 'closed')
  if (effect.type === 'killWorker') planExit(world, effect.id, now + random.between(0, 50))
}

/** Outside the fair end the first code is mostly good, what follows may be anything. */
function faultsOf(world: World, random: Random, generation: number): Faults {
  const { faults } = world
  const known = world.badness.get(generation)
  const badness = known ?? random.pick(generation === 1 ? [0, 0, 0.3, 1] : [0, 0, 0.3, 1, 3])
  world.badness.set(generation, badness)
  if (faults === BOOTS_FAIL) return faults
  return { ...faults, bootDies: faults.bootDies * badness, bootHangs: faults.bootHangs * badness, dies: faults.dies * badness }
}

function planLife(world: World, random: Random, now: number, id: number, faults: Faults): void {
  const bornAt = now + random.pick([0, 0, 5, 40])
  if (random.chance(faults.spawnFails)) {
    world.bornAt.set(id, undefined)
    return plan(world, id, bornAt, 'spawn-failed')
  }
  world.bornAt.set(id, bornAt)
  plan(world, id, bornAt, 'spawned')
  if (random.chance(faults.bootHangs)) return undefined
  const bootedAt = bornAt + random.pick([10, 80, 290, 310])
  if (random.chance(faults.bootDies)) return plan(world, id, bootedAt, 'exited')
  plan(world, id, bootedAt, 'ready')
  if (random.chance(faults.dies)) plan(world, id, bootedAt + random.pick([0, 50, 400, 1500]), 'exited')
  if (random.chance(faults.leaves)) plan(world, id, random.between(bornAt, bootedAt + 300), 'leaves')
  if (random.chance(faults.violates)) plan(world, id, random.between(bornAt, bootedAt + 300), 'violates')
  if (random.chance(faults.stalls)) plan(world, id, random.between(bornAt, bootedAt + 600), random.pick(['stalls', 'overweight']))
  if (random.chance(faults.wears)) plan(world, id, bootedAt + random.between(0, 900), 'wears')
  if (random.chance(faults.unfit)) plan(world, id, bootedAt + random.between(0, 900), 'unfit')
  return undefined
}

function planExit(world: World, id: number, at: number): void {
  const bornAt = world.bornAt.get(id)
  if (bornAt !== undefined) plan(world, id, Math.max(at, bornAt), 'exited')
}

/** The next thing that happens by itself; undefined when all is quiet. */
export function upcoming(world: World): Coming | undefined {
  let first: Coming | undefined
  for (const item of world.coming) {
    if (first === undefined || item.at < first.at || (item.at === first.at && item.order < first.order)) first = item
  }
  return first
}

/** Makes it happen, as the event that the shell would report. */
export function happen(world: World, random: Random, item: Coming, now: number): Event {
  const { id } = item
  const at = Math.max(now, item.at)
  const last = item.kind === 'exited' || item.kind === 'spawn-failed'
  world.coming = world.coming.filter((other) => (last ? other.id !== id : other !== item))
  if (last) world.bornAt.delete(id)
  if (item.kind === 'spawned') return { type: 'workerSpawned', at, id, pid: 1000 + id }
  if (item.kind === 'spawn-failed') return { type: 'workerSpawnFailed', at, id, code: 'EAGAIN', chance: random.fraction() }
  if (item.kind === 'ready') return world.spares.has(id) ? { type: 'workerWaits', at, id } : { type: 'workerReady', at, id }
  if (item.kind === 'leaves') return { type: 'workerRetireRequested', at, id }
  if (item.kind === 'violates') return { type: 'workerViolated', at, id }
  if (item.kind === 'stalls') return { type: 'workerStalled', at, id, silentMs: 100 }
  if (item.kind === 'overweight') return { type: 'workerOverweight', at, id }
  if (item.kind === 'closed') return { type: 'workerClosed', at, id }
  if (item.kind === 'unfit') return { type: 'workerUnfit', at, id, said: 'many errors' }
  if (item.kind === 'wears') return { type: 'workerWorn', at, id, why: random.pick(['memory', 'requests', 'lifetime']), value: 1 }
  return { type: 'workerExited', at, id, exit: random.pick([{ code: 0, signal: null }, { code: 1, signal: null }, { code: null, signal: 'SIGKILL' }, { code: null, signal: 'SIGINT' }]), chance: random.fraction() }
}

/** From here on nobody misbehaves any more: nothing bad is coming, and who hangs comes round, for better or worse. */
export function makeFair(world: World, random: Random, now: number, faults: Faults, told: ReadonlySet<number>, booting: ReadonlySet<number>): void {
  world.faults = faults
  world.coming = world.coming.filter((item) => ['spawned', 'spawn-failed'].includes(item.kind) || told.has(item.id))
  for (const [id, bornAt] of world.bornAt) {
    if (bornAt === undefined || !booting.has(id)) continue
    plan(world, id, Math.max(now, bornAt) + random.between(0, 100), faults.bootDies === 1 ? 'exited' : 'ready')
  }
}
