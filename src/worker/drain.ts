/**
 * How a worker leaves: it stops accepting, finishes what is in flight, lets each client know that the
 * connection ends, and only then hands over to the app's own shutdown.
 *
 * While others serve on, idle keep-alive connections go to them, and nobody sees a close. What cannot move is not
 * closed at once: a request may already be on the wire, and a closed socket would lose it. It stays for as long as the
 * server promised (`keepAliveTimeout`), and a request that still comes is answered with `Connection: close`.
 */
import type { EventEmitter } from 'node:events'
import { nowMs } from '../base/clock.ts'
import type { Listeners } from '../listen/worker/listen-hook.ts'
import type { BootInfo } from '../protocol/boot.ts'
import type { PrimaryMessage } from '../protocol/messages.ts'
import type { Connections } from './connections.ts'
import { DrainHandlers } from './drain-handlers.ts'
import { endEventStream } from './farewells.ts'
import type { Hook } from './hook-object.ts'
import { closeWithLastResponse } from './last-response.ts'
import type { Leaving } from './leaving.ts'
import { spread } from './spread.ts'
import { startSweeps } from './sweep.ts'

/** Kept back from the drain timeout for the app's own shutdown, at most. */
const RESERVE_MS = 1000
/** Longest wait for the kernel's queue to run empty before the listening sockets are closed. */
const QUEUE_LIMIT_MS = 500

export type DrainOrder = Pick<Extract<PrimaryMessage, { type: 'drain' }>, 'timeoutMs' | 'lingerMs' | 'closeSpreadMs' | 'reason'>

export interface Drain {
  /** Begins; later calls change nothing. */
  readonly start: (order: DrainOrder) => void
  readonly onDrain: Hook['onDrain']
}

interface DrainContext {
  readonly boot: BootInfo
  readonly connections: Connections
  readonly listeners: Listeners
  /** Lets the primary know that nothing is accepted any more. */
  readonly tellShut: () => void
  /** Lets the primary know what only this worker has counted. */
  readonly tellLast: () => Promise<void>
  readonly leaving: Leaving
}

export function createDrain(context: DrainContext): Drain {
  const handlers = new DrainHandlers()
  let begun = false
  return {
    onDrain: (handler) => handlers.add(handler),
    start(order) {
      if (begun) return
      begun = true
      void run(context, order, handlers)
    },
  }
}

async function run({ boot, connections, listeners, leaving, tellShut, tellLast }: DrainContext, order: DrainOrder, handlers: DrainHandlers): Promise<void> {
  const reserveMs = Math.min(RESERVE_MS, order.timeoutMs / 4)
  const quietMs = order.timeoutMs - reserveMs
  const timeUp = sleep(quietMs)
  listeners.openNoMore()
  connections.gather()
  if (isForGood(order)) leaving.begin()
  handlers.begin({ reason: order.reason, deadline: Date.now() + order.timeoutMs, spread: async (items, action) => spread(items, action, Math.min(order.closeSpreadMs, quietMs / 2)) })
  closeWithLastResponse(connections)
  await stopAccepting(connections, listeners, order, tellShut)

  const { over: finished, check } = whenFinished(connections, listeners, handlers)
  const migrate = isForGood(order) ? undefined : () => listeners.migrate(check)
  const endSweeps = startSweeps({ connections, handlers, migrate, lingerMs: order.lingerMs, spreadMs: order.closeSpreadMs, quietMs })
  await Promise.race([finished, timeUp.over])
  endSweeps()
  timeUp.cancel()
  endAllButBusy(connections)
  await tellLast()
  if (hasOwnShutdown(boot.killSignal)) {
    // Directly and not by kill(2): a process whose loop is empty by now would end before the signal arrives.
    const emitter: EventEmitter = process
    emitter.emit(boot.killSignal, boot.killSignal, process.getBuiltinModule('node:os').constants.signals[boot.killSignal as NodeJS.Signals])
    return
  }
  // What is still being answered has until the primary's SIGKILL.
  setTimeout(() => process.exit(), reserveMs / 2)
  await finished
  process.exit()
}

/** When no connection is left, none is on its way to another worker, and no handler of the app's runs. */
function whenFinished(connections: Connections, listeners: Listeners, handlers: DrainHandlers): { readonly over: Promise<void>; readonly check: () => void } {
  let resolve: (() => void) | undefined
  const over = new Promise<void>((given) => {
    resolve = given
  })
  const check = (): void => {
    if (connections.none && listeners.leaving() === 0 && handlers.done) resolve?.()
  }
  connections.onEnded = check
  handlers.onDone(check)
  check()
  return { over, check }
}

/** Nobody will be there to serve instead. */
function isForGood({ reason }: DrainOrder): boolean {
  return reason === 'stop' || reason === 'primary-gone'
}

/** Keeps the process alive, as long as it is not cancelled. */
function sleep(ms: number): { readonly over: Promise<void>; readonly cancel: () => void } {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  return { over, cancel: () => clearTimeout(timer) }
}

/** What carries a session or a TLS connection ends with it. */
function endAllButBusy(connections: Connections): void {
  for (const session of connections.sessions) session.close()
  for (const socket of connections.sockets) {
    if (socket.writableEnded || endEventStream(socket)) continue
    const occupation = connections.occupation(socket)
    if (occupation !== 'busy' && occupation !== 'carrier') socket.end()
  }
}

function hasOwnShutdown(signal: string): boolean {
  return process.listenerCount(signal) > 0
}

/** A released socket takes its queue with it, so first accept what is already there. Elsewhere other workers go on accepting. */
async function stopAccepting(connections: Connections, listeners: Listeners, order: DrainOrder, tellShut: () => void): Promise<void> {
  if (isForGood(order)) {
    const limit = nowMs() + QUEUE_LIMIT_MS
    let quietTurns = 0
    // libuv accepts one connection for each turn of the loop (1.45 and later).
    while (quietTurns < 2 && nowMs() < limit) {
      const before = connections.accepted
      await new Promise((resolve) => setImmediate(resolve))
      quietTurns = connections.accepted === before ? quietTurns + 1 : 0
    }
  }
  listeners.stopAccepting()
  tellShut()
  await allFetched(listeners)
}

/** What was accepted and handed over leaves the process before the process may end; a primary that does not fetch it is not waited for. */
async function allFetched(listeners: Listeners): Promise<void> {
  const limit = nowMs() + QUEUE_LIMIT_MS
  while (listeners.leaving() > 0 && nowMs() < limit) {
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setImmediate(resolve))
  }
}
