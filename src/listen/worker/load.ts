/** Tells the primary how much this worker has to do: soon after a change, and seldom while much changes. */
import type { Server } from 'node:net'
import type { EventLoopUtilization } from 'node:perf_hooks'
import { nowMs } from '../../base/clock.ts'
import type { ConnectionCounts, WorkerLoad, WorkerMessage } from '../../protocol/messages.ts'
import { createSamples } from './samples.ts'

/** From a change to its report. */
const REPORT_MS = 5
/** The same while connections come and go so quickly that a single one means nothing. */
const CHURN_REPORT_MS = 250
/** What counts as quickly: so many connections closed within a report's time, or all within this time. */
const CHURN = { closes: 4, lifetimeMs: 50 }
/** Surplus that will be gone within this time by itself is not worth a hand-over. */
const SOON_MS = 50
/** The same for connections that take less CPU than this, in ms: a hand-over costs a good part of it. */
const CHEAP = { cpuMs: 3, soonMs: 250 }
/** Time constant of the rate of closing, and of the use of CPU. */
const MEMORY_MS = 100
/** The same of the utilisation of the event loop: a single long job is no sign of a busy worker. */
const BUSY_MEMORY_MS = 500
/** A change of the lag by less than this is not worth a report. */
const LAG_STEP_MS = 10

interface Counted {
  /** Open connections (lib/net.js). */
  readonly _connections: number
  /** Called by net.js after each connection that has ended. */
  _emitCloseIfDrained: () => void
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] extends object ? Writable<T[Name]> : T[Name] }

export interface LoadMeter {
  /** Counts the connections of a server from now on, once it has its first. */
  readonly watch: (server: Server) => void
  /** Where connections came from and went. */
  readonly counts: Writable<ConnectionCounts>
  /** From now on the primary is told. */
  readonly enable: () => void
  /** Open connections of all servers, and those that are about to leave. */
  readonly open: () => number
  /** To be called after each connection that was accepted, taken or handed over. */
  readonly changed: () => void
  /** Tells the primary, now: what is new, or in any case when it has asked. */
  readonly report: (isAsked?: boolean) => void
  /** Looks at what is not counted, and tells what is new. To be called again after `everyMs`. */
  readonly look: (everyMs: number) => void
  /** How many connections will have ended by themselves soon, going by the last tenth of a second. */
  readonly endingSoon: () => number
}

/** @param queued connections that are about to leave: until they do they are this worker's */
export function createLoadMeter(send: (message: WorkerMessage) => void, queued: () => number): LoadMeter {
  const servers = new Set<Server & Counted>()
  const samples = createSamples(servers, nowMs)
  let closed = 0
  /** Connections that end in a millisecond, and the milliseconds of CPU that it takes. */
  let perMs = 0
  let cpuPerMs = 0
  let cpuUsed = 0
  let busy = 0
  /** Undefined until enabled: node:perf_hooks takes a millisecond to load. */
  let busySince: EventLoopUtilization | undefined
  let reportedAt = nowMs()
  let enabled = false
  let told: WorkerLoad | undefined
  const counts = { accepted: 0, handedOver: { surplus: 0, full: 0, owner: 0 }, moved: 0, taken: 0, refused: 0, dropped: 0 }
  let timer: NodeJS.Timeout | undefined

  const open = (): number => {
    let sum = queued()
    for (const server of servers) sum += server._connections
    return sum
  }
  const report = (isAsked = false): void => {
    clearTimeout(timer)
    timer = undefined
    const now = nowMs()
    const tookMs = Math.max(1, now - reportedAt)
    const weight = Math.exp(-tookMs / MEMORY_MS)
    perMs = perMs * weight + (closed / tookMs) * (1 - weight)
    const cpu = process.cpuUsage()
    cpuPerMs = cpuPerMs * weight + ((cpu.user + cpu.system - cpuUsed) / 1000 / tookMs) * (1 - weight)
    cpuUsed = cpu.user + cpu.system
    reportedAt = now
    closed = 0
    const { utilization } = performance.eventLoopUtilization(busySince)
    busySince = performance.eventLoopUtilization()
    const busyWeight = Math.exp(-tookMs / BUSY_MEMORY_MS)
    busy = busy * busyWeight + utilization * (1 - busyWeight)
    const load = { open: open(), busy: Math.round(busy * 10) / 10, inFlight: samples.inFlight(), lagMs: samples.lagMs(), ...counts }
    if (!isAsked && told !== undefined && isSame(load, told)) return
    told = load
    send({ type: 'load', ...load })
  }
  // Little's law: how long they live is how many there are by how many end.
  const isChurning = (): boolean => perMs * REPORT_MS > CHURN.closes || (perMs > 0 && open() < perMs * CHURN.lifetimeMs)
  const changed = (): void => {
    if (enabled) timer ??= setTimeout(() => report(), isChurning() ? CHURN_REPORT_MS : REPORT_MS).unref()
  }
  return {
    watch(server) {
      const counted = server as Server & Counted
      if (servers.has(counted)) return
      servers.add(counted)
      const original = counted._emitCloseIfDrained
      Object.defineProperty(counted, '_emitCloseIfDrained', {
        configurable: true,
        writable: true,
        value(this: Counted) {
          closed += 1
          changed()
          original.call(this)
        },
      })
      server.once('close', () => servers.delete(counted))
    },
    counts,
    enable() {
      if (enabled) return
      enabled = true
      report()
    },
    open,
    changed,
    report,
    look(everyMs) {
      samples.look(nowMs(), everyMs)
      report()
    },
    endingSoon: () => perMs * (cpuPerMs < perMs * CHEAP.cpuMs ? CHEAP.soonMs : SOON_MS),
  }
}

function isSame(load: WorkerLoad, told: WorkerLoad): boolean {
  const names = ['open', 'busy', 'inFlight', 'accepted', 'refused', 'dropped'] as const
  return names.every((name) => load[name] === told[name]) && Math.abs(load.lagMs - told.lagMs) < LAG_STEP_MS
}
