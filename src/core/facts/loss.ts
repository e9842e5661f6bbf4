/** A worker is gone: what it was, what its end means, whether its slot boots again. */
import { assertNever } from '../../base/assert-never.ts'
import { announce, quiet } from '../compose.ts'
import { recordFailure } from '../failures.ts'
import { isHopeless } from '../hopeless.ts'
import { isOccupied, slotAt } from '../slots.ts'
import { findWorker, isSpare, occupies, withoutWorker } from '../workers.ts'
import { NO_SLOT } from '../types.ts'
import type { Event, ExitKind, ExitReport, FailureCause, KillReason, SlotIndex, State, Step, Worker } from '../types.ts'

/** The process has ended. */
export function recordExit(state: State, event: Extract<Event, { type: 'workerExited' }>): Step {
  const worker = findWorker(state, event.id)
  if (worker === undefined) return quiet(state)
  const why = causeOf(worker)
  const gone = withoutWorker(state, worker.id)
  const next = why === undefined ? gone : recordFailure(gone, worker, { why, exit: event.exit }, event.at, event.chance)
  return {
    state: { ...next, socketsInDoubt: true },
    effects: [
      announce({
        type: 'worker:exited',
        id: worker.id,
        slot: worker.slot,
        generation: worker.generation,
        ...meaningOf(worker, event.exit),
        exit: event.exit,
        uptimeMs: event.at - worker.spawnedAt,
        respawnInMs: respawnInMs(next, worker.slot, event.at),
      }),
    ],
  }
}

/** The system refused to start the process. */
export function recordSpawnFailed(state: State, event: Extract<Event, { type: 'workerSpawnFailed' }>): Step {
  const worker = findWorker(state, event.id)
  if (worker === undefined) return quiet(state)
  const gone = withoutWorker(state, worker.id)
  const next = occupies(worker) ? recordFailure(gone, worker, { why: 'spawn-failed', exit: undefined, said: event.code }, event.at, event.chance) : gone
  const waitMs = Math.max(0, (isSpare(worker) ? next.spare : slotAt(next, worker.slot)).respawnAt - event.at)
  const { id, slot, generation } = worker
  return { state: next, effects: [announce({ type: 'worker:spawn-failed', id, slot, generation, code: event.code, respawnInMs: waitMs })] }
}

/** Undefined when the worker had been told to go. */
function causeOf(worker: Worker): FailureCause | undefined {
  const { phase } = worker
  switch (phase.name) {
    case 'booting':
    case 'spare':
      return 'boot-failure'
    case 'ready':
      return 'crash'
    case 'draining':
      return undefined
    case 'killed':
      if (!phase.counts) return undefined
      if (phase.reason === 'ready-timeout') return 'ready-timeout'
      return worker.readyAt === undefined ? 'boot-failure' : 'crash'
    default:
      return assertNever(phase)
  }
}

/** Only our signal kills: a worker that had ended before it came has ended by itself, whatever was ordered. */
function meaningOf({ phase }: Worker, exit: ExitReport): { readonly kind: ExitKind; readonly killReason: KillReason | undefined } {
  if (phase.name !== 'killed') return { kind: KIND[phase.name], killReason: undefined }
  // One that hangs gets SIGINT first, and may end of it with its stack.
  const isOurs = exit.signal === 'SIGKILL' || (phase.reason === 'stalled' && exit.signal === 'SIGINT')
  if (!isOurs) return { kind: KIND[phase.was], killReason: undefined }
  return { kind: 'killed', killReason: phase.reason }
}

const KIND = { booting: 'boot-failure', spare: 'boot-failure', ready: 'crash', draining: 'retired' } as const satisfies Record<string, ExitKind>

function respawnInMs(state: State, slot: SlotIndex, at: number): number | undefined {
  if (state.stop !== undefined || slot >= state.size || slot === NO_SLOT) return undefined
  if (isOccupied(state, slot) || isHopeless(state)) return undefined
  if (!state.everReady && state.bootFailed) return undefined
  return Math.max(0, slotAt(state, slot).respawnAt - at)
}
