/** How an app is, in words: what an operator at night reads first. */
import { assertNever } from '../base/assert-never.ts'
import { ageText } from '../base/age.ts'
import { formatDuration } from '../base/units.ts'
import type { StatusReport, WorkerStatus } from '../protocol/control.ts'

type Facts = Pick<StatusReport, 'state' | 'size' | 'reload' | 'restart' | 'workers'>

/** A crash that is so recent is worth a sentence. */
const RECENT_MS = 10 * 60_000
/** Part of its time that a busy loop is busy. */
const BUSY = 0.95

/** Sentences, the worst first; at least one. @param now milliseconds since 1970 */
export function verdictOf(facts: Facts, now: number): readonly string[] {
  const { state, size, workers } = facts
  const seated = workers.filter(({ slot }) => slot !== null)
  const serving = new Set(seated.filter((worker) => worker.state === 'ready').map(({ slot }) => slot)).size
  const sentences = [...troubles(facts, serving, now), ...doings(facts)]
  const all = size === 1 ? 'the worker is ready' : `all ${size} workers are ready`
  if (serving >= size && state === 'running') return [...sentences, all]
  return sentences.length > 0 ? sentences : [`${serving} of ${size} workers are ready`]
}

function troubles({ state, size, workers }: Facts, serving: number, now: number): readonly string[] {
  const sentences: string[] = []
  if (serving === 0 && state !== 'starting' && state !== 'stopping') sentences.push('no worker is ready: connections wait')
  else if (state === 'degraded') sentences.push(`degraded: ${serving} of ${size} workers are ready`)
  for (const worker of workers) sentences.push(...troublesOf(worker, now))
  return sentences
}

function troublesOf({ slot, state, pid, respawnInMs, lastExit, loopUtilization, restarts }: WorkerStatus, now: number): readonly string[] {
  const name = slot === null ? 'a spare worker' : `worker ${slot}`
  if (state === 'stalled') return [`${name} (pid ${pid}) hangs and is being killed`]
  const last = lastExit === null ? '' : `${howLost(lastExit)} ${ageText(now - Date.parse(lastExit.at))} ago`
  if (state === 'back-off') return [`${name} is down${last === '' ? '' : `: it ${last}`}; it boots again in ${formatDuration(Math.ceil((respawnInMs ?? 0) / 100) * 100)}`]
  if (state === 'ready' && loopUtilization !== null && loopUtilization >= BUSY) return [`the event loop of ${name} is busy ${Math.round(loopUtilization * 100)} % of the time`]
  if (lastExit === null || now - Date.parse(lastExit.at) > RECENT_MS) return []
  return [`${name} ${last}${restarts > 1 ? ` (${restarts} restarts)` : ''}`]
}

function doings({ state, size, reload, restart, workers }: Facts): readonly string[] {
  if (state === 'stopping') return [`stopping: ${workers.length} ${workers.length === 1 ? 'worker has' : 'workers have'} not left yet`]
  if (reload !== null) {
    const done = reload.slots.filter(({ step }) => step === 'done').length
    const what = reload.state === 'rolling' ? `reloading to generation ${reload.to}` : `turning the reload back to generation ${reload.from}`
    return [`${what}: ${done} of ${reload.slots.length} slots are done`]
  }
  if (restart !== null) return [`restarting: generation ${restart.to} takes over when all old workers have left`]
  const booting = workers.filter((worker) => worker.state === 'booting').length
  if (booting > 0) return [`${booting} of ${size} workers ${booting === 1 ? 'boots' : 'boot'}`]
  return []
}

function howLost({ reason, how }: NonNullable<WorkerStatus['lastExit']>): string {
  switch (reason) {
    case 'crash':
      return `crashed (${how})`
    case 'boot-failure':
      return `failed to start (${how})`
    case 'stalled':
      return 'hung and was killed'
    case 'memory':
      return 'took too much memory and was killed'
    case 'ready-timeout':
      return 'was not ready in time and was killed'
    case 'violation':
      return 'broke the protocol and was killed'
    case 'drain-timeout':
    case 'stop-now':
    case 'reload-aborted':
      return `was killed (${reason})`
    default:
      return assertNever(reason)
  }
}
