/** What the supervisor answers those who ask whether the service is well. No worker is asked: a busy one makes no probe fail. */
import type { Snapshot } from '../core/snapshot.ts'

/** An answer over HTTP. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

interface Check {
  /** For programs. */
  readonly code: string
  readonly isMet: boolean
  readonly message: string
}

export interface ProbeState {
  readonly snapshot: Snapshot
  /** A stop was asked for; with a drain delay workers serve on. */
  readonly isStopping: boolean
  /** Some worker has been ready in this run. */
  readonly hasBeenReady: boolean
}

const PROBES = {
  /** The supervisor lives, as it answers. */
  livez: (): readonly Check[] => [{ code: 'supervisor', isMet: true, message: 'the supervisor answers' }],
  readyz: (state: ProbeState): readonly Check[] => [started(state), stopping(state), ready(state)],
  startupz: (state: ProbeState): readonly Check[] => [started(state)],
} as const

export type ProbeName = keyof typeof PROBES

export const PROBE_PATHS: ReadonlyMap<string, ProbeName> = new Map((Object.keys(PROBES) as ProbeName[]).map((name) => [`/${name}`, name]))

/** 200, or 503 with the reasons as JSON. @param isVerbose lists every check as text, as the probes of Kubernetes do */
export function probe(name: ProbeName, state: ProbeState, isVerbose: boolean): Answer {
  const checks = PROBES[name](state)
  const failed = checks.filter(({ isMet }) => !isMet)
  const status = failed.length === 0 ? 200 : 503
  if (isVerbose) {
    const lines = checks.map(({ code, isMet, message }) => `[${isMet ? '+' : '-'}]${code} ${isMet ? 'ok' : 'failed'}: ${message}`)
    return answer(status, 'text/plain; charset=utf-8', [...lines, `${name} check ${failed.length === 0 ? 'passed' : 'failed'}`, ''].join('\n'))
  }
  if (failed.length === 0) return answer(status, 'text/plain; charset=utf-8', 'ok\n')
  const reasons = failed.map(({ code, message }) => ({ code, message }))
  return answer(status, 'application/json', `${JSON.stringify({ status: 'unavailable', reasons })}\n`)
}

function answer(status: number, type: string, body: string): Answer {
  return { status, headers: { 'content-type': type }, body }
}

function started({ hasBeenReady }: ProbeState): Check {
  return { code: 'started', isMet: hasBeenReady, message: hasBeenReady ? 'a worker has been ready' : 'no worker has been ready yet' }
}

function stopping({ isStopping }: ProbeState): Check {
  return { code: 'stopping', isMet: !isStopping, message: isStopping ? 'a stop was asked for' : 'no stop was asked for' }
}

function ready({ snapshot: { size, workers } }: ProbeState): Check {
  const serving = new Set(workers.filter(({ phase }) => phase === 'ready').map(({ slot }) => slot)).size
  return { code: 'workers', isMet: serving > 0, message: `${serving} of ${size} workers are ready` }
}
