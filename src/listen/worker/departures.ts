/**
 * The way of connections out of a worker, one after the other: the next goes when the primary has fetched
 * the one before. Until then each can still be served here: when the worker is to leave, when the primary
 * does not fetch, and when it dies.
 *
 * @see lib/internal/child_process.js: NODE_HANDLE_ACK is sent as soon as a handle is read, and before
 * anything is done with it. A primary that dies without one has given the connection to nobody.
 */
import { nowMs } from '../../base/clock.ts'
import { CONNECTION_COMMAND } from '../../protocol/messages.ts'
import type { ClientHandle } from './handles.ts'

/** Longest time that the primary may take to fetch a connection; a paused one must stop no traffic. */
const FETCH_LIMIT_MS = 200

/** `process.send`, for raw handles. */
export type SendHandle = (message: object, handle: unknown, options: object, done: (error: Error | null) => void) => boolean

export interface Departure {
  /** The held socket on which it was accepted. */
  readonly key: string
  readonly client: ClientHandle
  /** The client's key, and what was read of the connection, where the client counts. */
  readonly pin?: number | undefined
  readonly head?: Buffer | undefined
  /** Serves it here after all. */
  readonly keep: () => void
  /** For those that others need not have: looked at when its turn has come, since things may have changed. */
  readonly mayStay?: () => boolean
}

export interface Departures {
  readonly add: (departure: Departure) => void
  /** The primary does not fetch: it must get no more. */
  readonly isBlocked: () => boolean
  /** Keeps what has not been sent. To be called once, when no more will be added. */
  readonly stop: () => void
  /** The primary has died. */
  readonly primaryGone: () => void
  /** Keeps those at the front of the queue that may stay. */
  readonly lookAgain: () => void
  /** Those whose turn has not come and that others need not have: as yet they are this worker's. */
  readonly queued: () => number
  /** What was sent and is not fetched. */
  readonly leaving: () => number
}

/** @param openCount the connections of this worker, told with each that leaves */
export function createDepartures(sendHandle: SendHandle, openCount: () => number): Departures {
  let sent: (Departure & { readonly at: number }) | undefined
  let queue: Departure[] = []
  let mayStay = 0
  let timer: NodeJS.Timeout | undefined

  const isBlocked = (): boolean => sent !== undefined && nowMs() - sent.at > FETCH_LIMIT_MS
  const keepQueued = (): void => {
    const kept = queue
    queue = []
    mayStay = 0
    for (const { keep } of kept) keep()
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
    lookAgain()
    const departure = shift()
    if (departure === undefined) return
    const { key, client, pin, head, keep } = departure
    const leaving = { ...departure, at: nowMs() }
    sent = leaving
    sendHandle({ cmd: CONNECTION_COMMAND, key, open: openCount(), pin, head: head?.toString('base64') }, client, {}, (error) => {
      if (error === null || sent !== leaving) return
      sent = undefined
      keep()
      next()
    })
  }
  const fetched = (): void => {
    // The app may send handles of its own, and their acknowledgements look the same: then the next one waits in Node's own queue.
    sent?.client.close()
    sent = undefined
    next()
  }
  const watch = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined
      if (isBlocked()) keepQueued()
      else if (queue.length > 0) watch()
    }, FETCH_LIMIT_MS).unref()
  }

  process.on('internalMessage' as 'message', (message: unknown) => {
    if ((message as { readonly cmd?: unknown }).cmd === 'NODE_HANDLE_ACK') fetched()
  })
  /** An acknowledgement may still lie in the channel, so after its end. Node emits no 'disconnect' while it waits for one. */
  const keepUnfetched = (limit: number): void => {
    if (process.channel && nowMs() < limit) {
      setImmediate(keepUnfetched, limit)
      return
    }
    const last = sent
    sent = undefined
    last?.keep()
    keepQueued()
  }

  return {
    add(departure) {
      queue.push(departure)
      if (departure.mayStay !== undefined) mayStay += 1
      if (sent === undefined) next()
      else watch()
    },
    isBlocked,
    stop: keepQueued,
    primaryGone: () => keepUnfetched(nowMs() + FETCH_LIMIT_MS),
    lookAgain,
    queued: () => mayStay,
    leaving: () => (sent === undefined ? 0 : 1),
  }
}
