/**
 * How a worker leaves: it stops accepting, finishes what is in flight, lets each client know that the
 * connection ends, and only then hands over to the app's own shutdown.
 *
 * Idle keep-alive connections are not closed at once: a request may already be on the wire, and a
 * closed socket would lose it. They stay for as long as the server promised (`keepAliveTimeout`), and
 * a request that still comes is answered with `Connection: close`.
 */
import type { EventEmitter } from 'node:events'
import { constants } from 'node:os'
import type { Listeners } from '../listen/worker.ts'
import type { BootInfo } from '../protocol/boot.ts'
import type { PrimaryMessage } from '../protocol/messages.ts'
import type { Connections } from './connections.ts'
import type { DrainHandler, Hook } from './hook-object.ts'
import { closeWithLastResponse } from './last-response.ts'

/** How long a connection that has sent nothing may go on to do so. */
const UNTOUCHED_GRACE_MS = 1000
/** Kept back from the drain timeout for the app's own shutdown, at most. */
const RESERVE_MS = 1000
/** Longest wait for the kernel's queue to run empty before the listening sockets are closed. */
const QUEUE_LIMIT_MS = 50

export type DrainOrder = Pick<Extract<PrimaryMessage, { type: 'drain' }>, 'timeoutMs' | 'lingerMs' | 'reason'>

export interface Drain {
  /** Begins; later calls change nothing. */
  readonly start: (order: DrainOrder) => void
  readonly onDrain: Hook['onDrain']
}

interface DrainContext {
  readonly boot: BootInfo
  readonly connections: Connections
  readonly listeners: Listeners
}

export function createDrain(context: DrainContext): Drain {
  const handlers = new Set<DrainHandler>()
  let begun = false
  return {
    onDrain(handler) {
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
    start(order) {
      if (begun) return
      begun = true
      void run(context, order, [...handlers])
    },
  }
}

async function run({ boot, connections, listeners }: DrainContext, order: DrainOrder, handlers: readonly DrainHandler[]): Promise<void> {
  const reserveMs = Math.min(RESERVE_MS, order.timeoutMs / 4)
  const quietMs = order.timeoutMs - reserveMs
  listeners.openNoMore()
  const notified = notify(handlers, { reason: order.reason, deadline: Date.now() + order.timeoutMs })

  closeWithLastResponse(connections)
  await stopAccepting(connections, listeners, order)
  for (const session of connections.sessions) session.close()
  connections.onSession = (session) => session.close()

  const empty = new Promise<void>((resolve) => {
    connections.onEnded = () => connections.none && resolve()
    if (connections.none) resolve()
  })
  after(UNTOUCHED_GRACE_MS, () => endAll(connections, 'untouched'))
  if (order.lingerMs !== null) after(order.lingerMs, () => endAll(connections, 'idle'))
  const timeUp = new Promise<void>((resolve) => after(quietMs, resolve))
  void notified.then(() => endAll(connections, 'upgraded'))

  await Promise.race([Promise.all([empty, notified]), timeUp])
  for (const socket of connections.sockets) if (connections.occupation(socket) !== 'busy') socket.end()
  if (hasOwnShutdown(boot.killSignal)) {
    // Directly and not by kill(2): a process whose loop is empty by now would end before the signal arrives.
    const emitter: EventEmitter = process
    emitter.emit(boot.killSignal, boot.killSignal, constants.signals[boot.killSignal as NodeJS.Signals])
    return
  }
  // What is still being answered has until the primary's SIGKILL.
  after(reserveMs / 2, () => process.exit())
  await empty
  process.exit()
}

function hasOwnShutdown(signal: string): boolean {
  return process.listenerCount(signal) > 0
}

function after(ms: number, action: () => void): void {
  // Not unref'ed: a worker that drains lives until it is done.
  setTimeout(action, ms)
}

async function notify(handlers: readonly DrainHandler[], notice: { readonly reason: string; readonly deadline: number }): Promise<void> {
  const call = async (handler: DrainHandler): Promise<void> => {
    try {
      await handler(notice)
    } catch (error) {
      console.error('everycore: an onDrain handler failed:', error)
    }
  }
  await Promise.all(handlers.map(call))
}

/** A released socket takes its queue with it, so first accept what is already there. Elsewhere other workers go on accepting. */
async function stopAccepting(connections: Connections, listeners: Listeners, order: DrainOrder): Promise<void> {
  if (order.reason === 'stop' || order.reason === 'primary-gone') {
    const limit = performance.now() + QUEUE_LIMIT_MS
    let quietTurns = 0
    // libuv accepts one connection for each turn of the loop (1.45 and later).
    while (quietTurns < 2 && performance.now() < limit) {
      const before = connections.accepted
      await new Promise((resolve) => setImmediate(resolve))
      quietTurns = connections.accepted === before ? quietTurns + 1 : 0
    }
  }
  listeners.stopAccepting()
}

function endAll(connections: Connections, which: 'untouched' | 'idle' | 'upgraded'): void {
  for (const socket of connections.sockets) if (connections.occupation(socket) === which) socket.end()
}
