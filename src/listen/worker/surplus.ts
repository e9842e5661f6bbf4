/**
 * What a worker does with a connection that it has accepted: it keeps it, or gives it to the primary for
 * a worker that has fewer. Decided on the raw handle, before a Socket is made of it, so that nothing has
 * been read. The other half is `listen/primary/relay.ts`.
 *
 * @see lib/net.js, onconnection
 */
import { performance } from 'node:perf_hooks'
import { CONNECTION_COMMAND, type WorkerMessage } from '../../protocol/messages.ts'
import type { LoadMeter } from './load.ts'

/** Longest time that the primary may take to fetch a connection; a paused one must stop no traffic. */
const FETCH_LIMIT_MS = 200

/** The raw handle of an accepted connection. */
export interface ClientHandle {
  close(): void
}

type OnConnection = (this: unknown, error: number, client?: ClientHandle) => void

/** A handle that listens. net.js sets the function, libuv's binding calls it for each connection. */
export interface AcceptingHandle {
  onconnection?: OnConnection
}

interface LimitedServer {
  readonly maxConnections?: number
  readonly dropMaxConnection?: boolean
  readonly _connections?: number
}

interface Place {
  readonly server: LimitedServer
  readonly handle: AcceptingHandle
  readonly keep: OnConnection
}

/** `process.send`, for raw handles. */
export type SendHandle = (message: object, handle: unknown, options: object, done: (error: Error | null) => void) => boolean

interface SurplusContext {
  readonly load: LoadMeter
  readonly send: (message: WorkerMessage) => void
  readonly sendHandle: SendHandle
}

export interface Surplus {
  /** Steps between the listening handle and the server. To be called when it listens. */
  readonly attach: (key: string, server: LimitedServer, handle: AcceptingHandle) => void
  readonly detach: (key: string) => void
  /** The primary's word on how many connections are enough; null: keep all. */
  readonly limit: (ceiling: number | null) => void
  /** From now on keep everything. */
  readonly stop: () => void
  /** Connections that the primary has not fetched yet. */
  readonly leaving: () => number
}

export function createSurplus({ load, send, sendHandle }: SurplusContext): Surplus {
  const places = new Map<string, Place>()
  const waiting = new Set<number>()
  let ceiling: number | null = null
  let stopped = false

  const isPrimarySlow = (): boolean => {
    const [oldest] = waiting
    return oldest !== undefined && performance.now() - oldest > FETCH_LIMIT_MS
  }
  const isForOthers = (server: LimitedServer): boolean => {
    if (ceiling === null || stopped || !process.connected) return false
    const isWanted = isFull(server) ? server.dropMaxConnection !== true : isSurplus({ open: load.open(), ceiling, endingSoon: load.endingSoon() })
    return isWanted && !isPrimarySlow()
  }
  const handOver = (key: string, { handle, keep }: Place, client: ClientHandle): void => {
    let stamp = performance.now()
    while (waiting.has(stamp)) stamp += 0.000_1
    waiting.add(stamp)
    sendHandle({ cmd: CONNECTION_COMMAND, key, open: load.open() }, client, {}, (error) => {
      waiting.delete(stamp)
      if (error === null) client.close()
      else keep.call(handle, 0, client)
    })
  }

  process.on('internalMessage' as 'message', (message: unknown, client: unknown) => {
    const { cmd, key, seq, must } = message as { readonly cmd?: unknown; readonly key?: unknown; readonly seq?: unknown; readonly must?: unknown }
    if (cmd !== CONNECTION_COMMAND || typeof key !== 'string' || typeof seq !== 'number' || client === undefined) return
    const place = places.get(key)
    const isWelcome = place !== undefined && (must === true || !(stopped || isFull(place.server)))
    if (!isWelcome) {
      ;(client as ClientHandle).close()
      send({ type: 'refused', seq })
      return
    }
    // Said first: once the connection is served here nobody else may have it.
    send({ type: 'took', seq, open: load.open() + 1 })
    place.keep.call(place.handle, 0, client as ClientHandle)
  })

  return {
    attach(key, server, handle) {
      const keep = handle.onconnection
      if (keep === undefined) return
      const place = { server, handle, keep }
      places.set(key, place)
      handle.onconnection = function onconnection(error, client) {
        if (client !== undefined && isForOthers(server)) {
          handOver(key, place, client)
          return
        }
        keep.call(this, error, client)
        load.changed()
      }
    },
    detach: (key) => void places.delete(key),
    limit(value) {
      ceiling = value
    },
    stop() {
      stopped = true
    },
    leaving: () => waiting.size,
  }
}

function isFull({ maxConnections, _connections = 0 }: LimitedServer): boolean {
  return typeof maxConnections === 'number' && maxConnections > 0 && _connections >= maxConnections
}

/**
 * Whether one more connection is one too many.
 *
 * @param endingSoon connections that will have ended by themselves before a hand-over would be worth its cost
 */
export function isSurplus({ open, ceiling, endingSoon }: { readonly open: number; readonly ceiling: number | null; readonly endingSoon: number }): boolean {
  if (ceiling === null) return false
  const surplus = open + 1 - ceiling
  return surplus > 0 && surplus > endingSoon
}
