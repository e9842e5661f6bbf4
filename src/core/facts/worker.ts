/** What a worker does while it lives. Late news of a worker that is gone or leaving change nothing. */
import { announce, quiet } from '../compose.ts'
import { isYoung, recordFailure } from '../failures.ts'
import { readyDeadline } from '../orders.ts'
import { patchSlot, slotAt } from '../slots.ts'
import { findWorker, isLive, isSpare, patchWorker } from '../workers.ts'
import type { Event, State, Step, Worker } from '../types.ts'

/** The process exists. The time to be ready counts from here. */
export function recordSpawned(state: State, event: Extract<Event, { type: 'workerSpawned' }>): Step {
  const worker = findWorker(state, event.id)
  if (worker === undefined || worker.pid !== undefined) return quiet(state)
  const phase: Worker['phase'] =
    worker.phase.name === 'booting' ? { name: 'booting', deadline: readyDeadline(state, event.at) } : worker.phase
  const { id, slot, generation } = worker
  return {
    state: patchWorker(state, id, { pid: event.pid, spawnedAt: event.at, phase }),
    effects: [announce({ type: 'worker:spawned', id, slot, generation, pid: event.pid })],
  }
}

/** The worker can serve. */
export function recordReady(state: State, event: Extract<Event, { type: 'workerReady' }>): Step {
  const worker = findWorker(state, event.id)
  if (worker?.phase.name !== 'booting' || isSpare(worker)) return quiet(state)
  const { id, slot, generation } = worker
  const ready = patchWorker(state, id, { readyAt: event.at, phase: { name: 'ready', since: event.at, proven: false } })
  return {
    state: { ...ready, everReady: true },
    effects: [announce({ type: 'worker:ready', id, slot, generation, bootMs: event.at - worker.spawnedAt })],
  }
}

/** A spare has booted as far as it may without a slot. */
export function recordWaits(state: State, event: Extract<Event, { type: 'workerWaits' }>): Step {
  const worker = findWorker(state, event.id)
  if (worker?.phase.name !== 'booting' || !isSpare(worker)) return quiet(state)
  return quiet({ ...patchWorker(state, worker.id, { phase: { name: 'spare' } }), spare: { failures: 0, respawnAt: event.at } })
}

/** The worker takes no more connections. */
export function recordClosed(state: State, event: Extract<Event, { type: 'workerClosed' }>): Step {
  const worker = findWorker(state, event.id)
  if (worker?.phase.name !== 'draining' || !worker.phase.accepts) return quiet(state)
  return quiet(patchWorker(state, worker.id, { phase: { ...worker.phase, accepts: false } }))
}

/** The worker broke the protocol: it cannot be talked to any more. */
export function recordViolation(state: State, event: Extract<Event, { type: 'workerViolated' }>): Step {
  const worker = findWorker(state, event.id)
  if (worker === undefined || worker.phase.name === 'killed') return quiet(state)
  return quiet(patchWorker(state, worker.id, { due: 'violation' }))
}

/** The worker hangs. One that boots may block its loop for long, and one that leaves has its deadline. */
export function recordStalled(state: State, event: Extract<Event, { type: 'workerStalled' }>): Step {
  const worker = findWorker(state, event.id)
  if (worker?.phase.name !== 'ready' || worker.due !== undefined) return quiet(state)
  const { id, slot } = worker
  return {
    state: patchWorker(state, id, { due: 'stalled' }),
    effects: [announce({ type: 'worker:stalled', id, slot, silentMs: event.silentMs })],
  }
}

/** The worker has reached a limit: it serves on until its replacement is ready. */
export function recordWorn(state: State, event: Extract<Event, { type: 'workerWorn' }>): Step {
  const worker = findWorker(state, event.id)
  if (worker?.phase.name !== 'ready' || worker.worn !== undefined) return quiet(state)
  const { id, slot } = worker
  return {
    state: patchWorker(state, id, { worn: event.why }),
    effects: [announce({ type: 'worker:worn', id, slot, why: event.why, value: event.value })],
  }
}

/** New code that runs, but not as well as the old. Once it is proven it is too late. */
export function recordUnfit(state: State, event: Extract<Event, { type: 'workerUnfit' }>): Step {
  const worker = findWorker(state, event.id)
  const { reload } = state
  if (worker === undefined || !isLive(worker) || reload?.direction !== 'forward' || reload.proven || reload.failure !== undefined) return quiet(state)
  if (worker.generation !== reload.to) return quiet(state)
  return quiet({ ...state, reload: { ...reload, failure: { slot: worker.slot, id: worker.id, why: 'unfit', exit: undefined, said: event.said } } })
}

/** The worker takes so much memory that others are in danger. Also one that leaves. */
export function recordOverweight(state: State, event: Extract<Event, { type: 'workerOverweight' }>): Step {
  const worker = findWorker(state, event.id)
  if (worker === undefined || worker.phase.name === 'killed') return quiet(state)
  return quiet(patchWorker(state, worker.id, { due: 'memory' }))
}

/**
 * The worker wants to leave. That is no failure once it has served; but one that leaves before it
 * was ready, or new code that leaves before it was proven, has failed like one that exits.
 */
export function recordRetireRequest(state: State, event: Extract<Event, { type: 'workerRetireRequested' }>): Step {
  const worker = findWorker(state, event.id)
  if (worker === undefined || !isLive(worker)) return quiet(state)
  const marked = patchWorker(state, worker.id, { due: 'retire' })
  const onTrial = state.reload?.direction === 'forward' && worker.generation === state.reload.to
  if (worker.readyAt === undefined || (onTrial && isYoung(state, worker, event.at))) {
    const why = worker.readyAt === undefined ? 'boot-failure' : 'crash'
    return quiet(recordFailure(marked, worker, { why, exit: undefined }, event.at, 0.5))
  }
  return quiet(holdSlot(marked, worker))
}

/** No failure. Lets a slot replace a worker by request once in `baseMs` at most, so that an app which always leaves cannot make it spin. */
function holdSlot(state: State, worker: Worker): State {
  const earliest = worker.spawnedAt + state.settings.backoff.baseMs
  const { respawnAt } = slotAt(state, worker.slot)
  return patchSlot(state, worker.slot, { failed: false, respawnAt: Math.max(respawnAt, earliest) })
}
