/** What a supervisor tells of itself to whoever asks: made from what it knows already, so that no worker is waited for. */
import { nowMs } from '../base/clock.ts'
import { VERSION } from '../base/version.ts'
import type { SlotIndex, WorkerId } from '../core/types.ts'
import type { Snapshot, WorkerView } from '../core/snapshot.ts'
import { CONTROL_SCHEMA, type Diagnosing, type LastExit, type ReloadSlot, type ReloadStatus, type StatusReport, type WorkerFigures, type WorkerState, type WorkerStatus } from '../protocol/control.ts'
import type { Supervisor } from './supervisor.ts'
import { verdictOf } from './verdict.ts'

/** Figures of a worker; what is left out is not known. */
export type Figures = Partial<WorkerFigures>

/** What the report needs besides the supervisor. */
export interface ReportFacts {
  readonly name: string
  readonly startedAt: Date
  /** Of the monotonic clock. */
  readonly startedMs: number
  readonly lastExits: ReadonlyMap<SlotIndex, LastExit>
  readonly figuresOf: (id: WorkerId) => Figures
  readonly diagnosisOf: (id: WorkerId) => Diagnosing | undefined
}

const UNKNOWN: WorkerFigures = { cpu: null, rssBytes: null, heapUsedBytes: null, loopUtilization: null, loopLagP99Ms: null, requestsPerSecond: null, p50Ms: null, p99Ms: null, inFlight: null, connections: null }

export function statusReport({ snapshot, settings, addresses, handOvers }: Supervisor, facts: ReportFacts): StatusReport {
  const workers = [...snapshot.workers.map((worker) => workerStatus(worker, facts)), ...emptySlots(snapshot, facts)].sort(bySlot)
  const reload = reloadStatus(snapshot, facts)
  const { phase: state, size, generation } = snapshot
  return {
    schemaVersion: CONTROL_SCHEMA,
    name: facts.name,
    pid: process.pid,
    state,
    size,
    generation,
    version: VERSION,
    node: process.version,
    script: settings.launch.script,
    startedAt: facts.startedAt.toISOString(),
    uptimeMs: Math.round(nowMs() - facts.startedMs),
    runtimeDir: settings.runtimeDir ?? null,
    addresses: addresses.map(({ kind, address, port }) => ({ kind, address, port })),
    verdict: verdictOf({ state, size, reload, restart: snapshot.restart ?? null, workers }, Date.now()),
    reload,
    restart: snapshot.restart ?? null,
    handOvers,
    workers,
  }
}

function workerStatus({ id, slot, pid, phase, reason, generation, spawnedAt, restarts }: WorkerView, { lastExits, figuresOf, diagnosisOf }: ReportFacts): WorkerStatus {
  const diagnosis = diagnosisOf(id)
  return {
    slot: slot < 0 ? null : slot,
    pid: pid ?? null,
    state: stateOf(phase, reason),
    reason: reason ?? null,
    generation,
    uptimeMs: pid === undefined ? null : Math.round(nowMs() - spawnedAt),
    restarts,
    lastExit: lastExits.get(slot) ?? null,
    respawnInMs: null,
    ...UNKNOWN,
    ...figuresOf(id),
    ...(diagnosis !== undefined && { diagnosis }),
  }
}

function stateOf(phase: WorkerView['phase'], reason: WorkerView['reason']): WorkerState {
  return phase === 'killed' && reason === 'stalled' ? 'stalled' : phase
}

/** Slots that no worker is in. */
function emptySlots({ phase, workers, slots, generation }: Snapshot, { lastExits }: ReportFacts): readonly WorkerStatus[] {
  if (phase === 'idle' || phase === 'stopping' || phase === 'stopped') return []
  const empty = slots.filter(({ index }) => !workers.some(({ slot }) => slot === index))
  return empty.map(({ index, restarts, respawnAt }) => {
    const respawnInMs = Math.max(0, Math.round(respawnAt - nowMs()))
    const state = respawnInMs > 0 ? 'back-off' : 'missing'
    return { slot: index, pid: null, state, reason: null, generation, uptimeMs: null, restarts, lastExit: lastExits.get(index) ?? null, respawnInMs, ...UNKNOWN }
  })
}

/** Spares last; of two in a slot the older first. */
function bySlot(a: WorkerStatus, b: WorkerStatus): number {
  return (a.slot ?? Number.POSITIVE_INFINITY) - (b.slot ?? Number.POSITIVE_INFINITY) || a.generation - b.generation || (a.pid ?? 0) - (b.pid ?? 0)
}

function reloadStatus({ reload, workers, slots }: Snapshot, { figuresOf }: ReportFacts): ReloadStatus | null {
  if (reload === undefined) return null
  const target = reload.direction === 'forward' ? reload.to : reload.from
  return {
    state: reload.direction === 'forward' ? 'rolling' : 'turning-back',
    from: reload.from,
    to: reload.to,
    slots: slots.map(({ index }) => slotOf(index, workers.filter(({ slot }) => slot === index), target, figuresOf)),
  }
}

function slotOf(slot: SlotIndex, workers: readonly WorkerView[], target: number, figuresOf: ReportFacts['figuresOf']): ReloadSlot {
  const isNew = ({ generation }: WorkerView): boolean => generation === target
  const fresh = workers.find((worker) => isNew(worker) && (worker.phase === 'booting' || worker.phase === 'ready'))
  const old = workers.find((worker) => !isNew(worker))
  const inFlight = old === undefined ? null : (figuresOf(old.id).inFlight ?? null)
  if (fresh === undefined) return { slot, step: 'old', inFlight }
  if (fresh.phase === 'booting') return { slot, step: 'booting', inFlight }
  if (old === undefined) return { slot, step: 'done', inFlight: null }
  return { slot, step: old.phase === 'ready' || old.phase === 'booting' ? 'ready' : 'draining', inFlight }
}
