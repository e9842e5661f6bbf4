/**
 * The way of connections out of a worker, a few at a time: the next goes when the primary has fetched one of those
 * before. Until then each can still be served here: when the worker is to leave, when the primary does not fetch,
 * and when it dies.
 */
import { nowMs } from '../../base/clock.ts'
import { Window } from '../../protocol/window.ts'
import type { ClientHandle } from './handles.ts'
import type { WorkerLink } from './worker-link.ts'

/** Longest time that the primary may take to fetch a connection; a paused one must stop no traffic. */
const FETCH_LIMIT_MS = 200
/** Of those that others need not have, one leaves after the other: more would go before it is known how many the others have by now. */
const SURPLUS_WINDOW = 1

export interface Departure {
  /** The held socket on which it was accepted. */
  readonly key: string
  readonly client: ClientHandle
  /** The client's key, and what was read of the connection, where the client counts. */
  readonly pin?: number | undefined
  readonly head?: Buffer | undefined
  /** It is between two requests. */
  readonly isIdle?: boolean
  /** Serves it here after all. */
  readonly keep: () => void
  /** For those that others need not have: looked at when its turn has come, since things may have changed. */
  readonly mayStay?: () => boolean
}

export interface Departures {
  readonly add: (departure: Departure) => void
  /** The primary does not fetch, or cannot be reached: it must get no more. */
  readonly isBlocked: () => boolean
  /** Keeps what has not been sent. To be called once, when no more will be added. */
  readonly stop: () => void
  /** Keeps those at the front of the queue that may stay. */
  readonly lookAgain: () => void
  /** Those whose turn has not come and that others need not have: as yet they are this worker's. */
  readonly queued: () => number
  /** What has not left yet: it waits for its turn, or for the primary to fetch it. */
  readonly leaving: () => number
  /** Nothing waits for its turn. */
  readonly hasRoom: () => boolean
  /** Calls `listener` after each answer of the primary, and when what was waiting is kept. */
  readonly onSettled: (listener: () => void) => void
  /** The primary's answer. */
  readonly fetched: (seq: number, ok: boolean) => void
  /** No answer will come any more. What has none, nobody has. */
  readonly ended: () => void
}

/** @param openCount the connections of this worker, told with each that leaves */
export function createDepartures(link: Pick<WorkerLink, 'isOpen' | 'send'>, openCount: () => number): Departures {
  /** The oldest first. */
  const sent = new Map<number, Departure & { readonly at: number }>()
  let queue: Departure[] = []
  let mayStay = 0
  let lastSeq = 0
  const window = new Window(1)
  let timer: NodeJS.Timeout | undefined
  let settled: (() => void) | undefined

  const isLate = (): boolean => {
    const [oldest] = sent.values()
    return oldest !== undefined && nowMs() - oldest.at > FETCH_LIMIT_MS
  }
  const keepQueued = (): void => {
    const kept = queue
    queue = []
    mayStay = 0
    for (const { keep } of kept) keep()
    if (kept.length > 0) settled?.()
  }
  const shift = (): Departure | undefined => {
    const first = queue.shift()
    if (first?.mayStay !== undefined) mayStay -= 1
    return first
  }
  const lookAgain = (): void => {
    while (queue[0]?.mayStay?.() === true) shift()?.keep()
  }
  const next = (): void => {
    for (;;) {
      lookAgain()
      const first = queue[0]
      if (first === undefined || sent.size >= (first.mayStay === undefined ? window.size(nowMs()) : SURPLUS_WINDOW)) return
      const departure = shift() ?? first
      const { key, client, pin, head, isIdle, keep } = departure
      lastSeq += 1
      const offer = { key, open: openCount(), ...(pin === undefined ? {} : { pin }), ...(head === undefined ? {} : { head: head.toString('base64') }), ...(isIdle === true ? { idle: true as const } : {}) }
      if (link.send({ type: 'offer', seq: lastSeq, offer }, client)) sent.set(lastSeq, { ...departure, at: nowMs() })
      else keep()
    }
  }
  const watch = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined
      if (isLate()) keepQueued()
      else if (queue.length > 0) watch()
    }, FETCH_LIMIT_MS).unref()
  }

  return {
    add(departure) {
      queue.push(departure)
      if (departure.mayStay !== undefined) mayStay += 1
      next()
      if (queue.length > 0) watch()
    },
    isBlocked: () => !link.isOpen() || isLate(),
    stop: keepQueued,
    lookAgain,
    queued: () => mayStay,
    leaving: () => sent.size + queue.length,
    hasRoom: () => queue.length === 0,
    onSettled(listener) {
      settled = listener
    },
    fetched(seq, ok) {
      const departure = sent.get(seq)
      if (departure === undefined) return
      sent.delete(seq)
      window.answered(nowMs())
      if (ok) departure.client.close()
      else departure.keep()
      next()
      settled?.()
    },
    ended() {
      const unfetched = [...sent.values()]
      sent.clear()
      for (const { keep } of unfetched) keep()
      keepQueued()
      settled?.()
    },
  }
}
