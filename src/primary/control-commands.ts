/** What a supervisor does for whoever asks by the control socket, and what it says when it is done. */
import { EverycoreError } from '../base/errors.ts'
import { nowMs } from '../base/clock.ts'
import { MAX_WORKERS } from '../config/workers.ts'
import type { ControlPorts, ScaleTarget } from '../control/ports.ts'
import type { WorkerId } from '../core/types.ts'
import { CONTROL_SCHEMA, type ReloadResult } from '../protocol/control.ts'
import { LostRequests } from './lost-requests.ts'
import type { Supervisor } from './supervisor.ts'

/** @param inFlightOf requests that a worker has; null when not known */
export function commandsOf(supervisor: Supervisor, inFlightOf: (id: WorkerId) => number | null): Pick<ControlPorts, 'reload' | 'abortReload' | 'restart' | 'scale'> {
  const replaceAll = async (change: () => Promise<void>): Promise<ReloadResult> => {
    const began = nowMs()
    const lost = new LostRequests(supervisor, inFlightOf)
    try {
      await change()
    } finally {
      lost.end()
    }
    return { schemaVersion: CONTROL_SCHEMA, generation: supervisor.snapshot.generation, tookMs: Math.round(nowMs() - began), failedRequests: lost.count }
  }
  return {
    reload: async () => replaceAll(async () => supervisor.reload()),
    restart: async () => replaceAll(async () => supervisor.restart()),
    abortReload: () => supervisor.abortReload(),
    scale: async (target) => {
      const from = supervisor.snapshot.size
      await supervisor.scale(sizeOf(target, from))
      return { schemaVersion: CONTROL_SCHEMA, from, size: supervisor.snapshot.size }
    },
  }
}

function sizeOf(target: ScaleTarget, size: number): number | 'auto' {
  if (target === 'auto' || typeof target === 'number') return target
  const wanted = size + Number(target)
  if (wanted >= 1 && wanted <= MAX_WORKERS) return wanted
  throw new EverycoreError('ERR_EVERYCORE_SETTING', `cannot scale to ${wanted} workers`, { hint: `1 to ${MAX_WORKERS} are possible; everycore stop ends the app` })
}
