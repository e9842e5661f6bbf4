/**
 * Looks at all connections again and again while the worker drains, and ends those whose time has come.
 * Nothing tells when an upgrade is answered or when a connection becomes idle, so they are looked at.
 */
import { assertNever } from '../base/assert-never.ts'
import type { Connections, Occupation } from './connections.ts'
import type { DrainHandlers } from './drain-handlers.ts'
import { Farewells, type FarewellTimes } from './farewells.ts'
import { SessionsEnd } from './sessions.ts'

const SWEEP_MS = 100
/** With very many connections a sweep takes time: then at most a tenth of it. */
const PAUSE_FACTOR = 9
/** How long a connection that has sent nothing may go on to do so. */
const UNTOUCHED_GRACE_MS = 1000

export interface SweepContext extends FarewellTimes {
  readonly connections: Connections
  readonly handlers: DrainHandlers
  /** How long idle connections may stay; null: until their server's own timer. */
  readonly lingerMs: number | null
  /** Gives idle connections to other workers; undefined: there are none. */
  readonly migrate: (() => void) | undefined
}

/** Begins with a sweep. Returns a function that ends them. */
export function startSweeps(context: SweepContext): () => void {
  const began = performance.now()
  let timer: NodeJS.Timeout | undefined
  let over = false
  const sessions = new SessionsEnd(Math.min(context.lingerMs ?? context.quietMs, context.quietMs / 2))
  const farewells = new Farewells(context)
  const sweep = (): void => {
    if (over) return
    const at = performance.now()
    context.migrate?.()
    endDue(context, at - began)
    farewells.endDue(context.connections, context.handlers.done, at - began)
    sessions.closeDue(context.connections.sessions, at - began)
    const tookMs = performance.now() - at
    clearTimeout(timer)
    // Not unref'ed: a worker that drains lives until it is done.
    timer = setTimeout(sweep, Math.max(SWEEP_MS, tookMs * PAUSE_FACTOR))
  }
  context.handlers.onDone(sweep)
  sweep()
  return () => {
    over = true
    clearTimeout(timer)
  }
}

function endDue(context: SweepContext, elapsedMs: number): void {
  const { connections } = context
  for (const socket of connections.sockets) {
    if (!socket.writableEnded && isDue(connections.occupation(socket), context, elapsedMs)) socket.end()
  }
}

function isDue(occupation: Occupation, { lingerMs }: SweepContext, elapsedMs: number): boolean {
  switch (occupation) {
    case 'untouched':
      return elapsedMs >= UNTOUCHED_GRACE_MS
    case 'idle':
      return lingerMs !== null && elapsedMs >= lingerMs
    case 'upgraded':
    case 'busy':
    case 'carrier':
    case 'opaque':
      return false
    default:
      return assertNever(occupation)
  }
}
