import type { State, Worker } from '../../../src/core/types.ts'

/** Names a state up to what cannot matter: the clock, the numbering of workers and generations, statistics. */
export function stateKey(state: State, now: number): string {
  const { generation, reload, settings } = state
  const past = Math.max(settings.stableMs, settings.provenMs)
  const since = (time: number | undefined): number | undefined => (time === undefined ? undefined : Math.min(past, now - time))
  const newest = state.workers.map((worker) => worker.generation).concat(generation, reload?.to ?? generation)
  const ranks = [...new Set(newest)].toSorted((a, b) => a - b)
  const rank = (value: number): number => ranks.indexOf(value)
  return JSON.stringify([
    state.phase,
    state.size,
    rank(generation),
    state.everReady,
    state.everRunning,
    state.bootFailed,
    state.reloadQueued,
    state.restartQueued,
    state.restart !== undefined,
    state.socketsInDoubt,
    state.stop,
    state.stopDue && state.stopDue.at - now,
    reload && [rank(reload.to), reload.direction, reload.proven, reload.crashes],
    state.spare.failures,
    Math.max(0, state.spare.respawnAt - now),
    state.slots.map((slot) => [slot.failures, slot.failed, Math.max(0, slot.respawnAt - now)]),
    state.workers.map((worker) => [worker.slot, rank(worker.generation), worker.pid !== undefined, since(worker.spawnedAt), since(worker.readyAt), worker.worn !== undefined, phaseKey(worker, now)]),
  ])
}

function phaseKey({ phase }: Worker, now: number): readonly unknown[] {
  if (phase.name === 'booting') return ['booting', phase.deadline === undefined ? undefined : phase.deadline - now]
  if (phase.name === 'draining') return ['draining', phase.deadline - now, phase.accepts]
  if (phase.name === 'killed') return ['killed', phase.counts, phase.reason, phase.was]
  return phase.name === 'spare' ? ['spare'] : ['ready', phase.proven]
}
