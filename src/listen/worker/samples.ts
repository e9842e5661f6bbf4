/**
 * What a worker says of its load besides counters: requests in flight, and how late its timers are. Looked at
 * once in a while, so that no request pays for it. Time is a parameter.
 */
import type { Server } from 'node:net'
import { connectionsOf } from './http-connections.ts'

/** Time constant of both: a moment says little. */
const MEMORY_MS = 1000
/** To look at ten thousand connections takes 2 to 4 ms; it may take this part of the time. */
const SHARE = 0.002

interface Parser {
  /** `_httpMessage`: the response that is being made (lib/_http_server.js). */
  readonly socket?: { readonly _httpMessage?: unknown } | null
}

export interface Samples {
  /** @param everyMs when this should be called again, counted from `now` */
  readonly look: (now: number, everyMs: number) => void
  /** Requests of HTTP/1.1 in flight. */
  readonly inFlight: () => number
  /** How late the timer was. */
  readonly lagMs: () => number
}

/** @param clock for what the look itself takes */
export function createSamples(servers: Iterable<Server>, clock: () => number): Samples {
  let inFlight = 0
  let countAt = 0
  let countedAt = 0
  let lagMs = 0
  let due: number | undefined
  let lookedAt = 0

  return {
    look(now, everyMs) {
      const late = due === undefined ? 0 : Math.max(0, now - due)
      lagMs = mixed(lagMs, late, now - lookedAt)
      due = now + everyMs
      lookedAt = now
      if (now < countAt) return
      inFlight = mixed(inFlight, count(servers), now - countedAt)
      countedAt = now
      countAt = now + (clock() - now) / SHARE
    },
    inFlight: () => Math.round(inFlight),
    lagMs: () => Math.round(lagMs),
  }
}

function mixed(before: number, value: number, tookMs: number): number {
  const weight = Math.exp(-tookMs / MEMORY_MS)
  return before * weight + value * (1 - weight)
}

function count(servers: Iterable<Server>): number {
  let busy = 0
  for (const server of servers) {
    for (const { socket } of connectionsOf<Parser>(server)?.all() ?? []) if (socket?._httpMessage) busy += 1
  }
  return busy
}
