/**
 * What a worker does with a connection that it has accepted: it keeps it, or gives it to the primary for
 * a worker that has fewer. Decided on the raw handle, before a Socket is made of it, so that nothing has
 * been read. The other half is `listen/primary/relay.ts`.
 *
 * @see lib/net.js, onconnection
 */
import type { Server, Socket } from 'node:net'
import type { Parcel } from '../../protocol/messages.ts'
import type { Peeked, Stickiness } from './stickiness.ts'
import { feed } from './feed.ts'
import type { Departures } from './departures.ts'
import type { ClientHandle, ListenHandle } from './handles.ts'
import type { Descriptors } from './descriptors.ts'
import { takeIdle } from './idle-connections.ts'
import type { LoadMeter } from './load.ts'
import type { WorkerLink } from './worker-link.ts'

/** How often a worker looks whether it has gathered too many. */
const ROUND_MS = 250
/** At most so many connections move in one round: moving one costs as much as some requests. */
const MOVES = 32
/** So many more than the others, and at least this part of its own, must a worker have before any moves. */
const SLACK = { connections: 2, part: 0.1 }

type OnConnection = NonNullable<ListenHandle['onconnection']>

type LimitedServer = Server & {
  readonly dropMaxConnection?: boolean
  readonly _connections?: number
}

interface Place {
  readonly server: LimitedServer
  readonly handle: ListenHandle
  readonly keep: OnConnection
}

const UNREAD: Peeked = { pin: undefined, head: undefined }

interface SurplusContext {
  readonly load: LoadMeter
  /** Idle connections may move. */
  readonly rebalance: boolean
  readonly descriptors: Pick<Descriptors, 'isFull' | 'opened'>
  readonly link: WorkerLink
  readonly departures: Departures
  /** Undefined: clients are not told apart. */
  readonly sticky: Stickiness | undefined
}

export interface Surplus {
  /** Steps between the listening handle and the server. To be called when it listens. */
  readonly attach: (key: string, server: Server, handle: ListenHandle) => void
  readonly detach: (key: string) => void
  /** The primary's word on how many connections are enough; null: keep all. */
  readonly limit: (ceiling: number | null, pinned: number | null) => void
  /** From now on keep everything. */
  readonly stop: () => void
}

export function createSurplus({ load, rebalance, descriptors, link, departures, sticky }: SurplusContext): Surplus {
  const places = new Map<string, Place>()
  let ceiling: number | null = null
  let pinnedCeiling: number | null = null
  let stopped = false
  let rounds: NodeJS.Timeout | undefined

  /** @param coming 1: it is about to be this worker's; 0: it is counted as such */
  const isForOthers = (server: LimitedServer, coming: 0 | 1): boolean => {
    if (ceiling === null || stopped) return false
    if (descriptors.isFull()) return !departures.isBlocked()
    const isWanted = isFull(server) ? server.dropMaxConnection !== true : isSurplus({ open: load.open() + coming, ceiling, endingSoon: load.endingSoon() })
    return isWanted && !departures.isBlocked()
  }
  const isForOwner = (server: LimitedServer, pin: number | undefined): boolean => {
    if (stopped || departures.isBlocked()) return false
    if (descriptors.isFull()) return true
    if (isFull(server)) return server.dropMaxConnection !== true
    return pin === undefined || sticky?.owns(pin) !== true || (pinnedCeiling !== null && load.open() >= pinnedCeiling)
  }
  /** @param told by the primary, whoever the client belongs to */
  const keep = ({ server, handle, keep: serve }: Place, client: ClientHandle, { pin, head }: Peeked, told: 'own' | 'told' | 'probe' = 'own'): void => {
    if (sticky === undefined) serve.call(handle, 0, client)
    else {
      const made = (socket: Socket): void => {
        if (told === 'probe') sticky.exempt(socket)
        else if (told === 'told' && pin !== undefined) sticky.accepted(socket, pin)
      }
      feed(server, head, () => serve.call(handle, 0, client), made)
    }
    load.changed()
  }
  const handOver = (key: string, client: ClientHandle, place: Place, found: Peeked = UNREAD): void => {
    const isOwned = found.pin !== undefined || found.isOpen === true
    departures.add({ key, client, ...found, keep: () => keep(place, client, found), ...(isOwned ? {} : { mayStay: () => !isForOthers(place.server, 0) }) })
    load.changed()
  }
  const reasonFor = (server: LimitedServer, { pin, isOpen }: Peeked): 'surplus' | 'full' | 'owner' => {
    if (isFull(server) || descriptors.isFull()) return 'full'
    return pin === undefined && isOpen !== true ? 'surplus' : 'owner'
  }
  const decide = (key: string, client: ClientHandle, place: Place, found: Peeked): void => {
    const isGiven = found.pin === undefined && found.isOpen !== true ? isForOthers(place.server, 1) : isForOwner(place.server, found.pin)
    if (!isGiven) {
      keep(place, client, found)
      return
    }
    load.counts.handedOver[reasonFor(place.server, found)] += 1
    handOver(key, client, place, found)
  }

  const round = (): void => {
    load.look(ROUND_MS)
    // Where clients count, connections stay with their worker.
    if (!rebalance || ceiling === null || stopped || pinnedCeiling !== null || departures.isBlocked()) return
    let left = toMove({ open: load.open(), ceiling, endingSoon: load.endingSoon() })
    for (const [key, place] of places) {
      const taken = takeIdle(place.server, left)
      load.counts.moved += taken.length
      for (const client of taken) handOver(key, client, place)
      left -= taken.length
    }
  }

  const arrived = ({ key, seq, must, pin, head, isProbe }: Parcel, client: ClientHandle | undefined): void => {
    const place = places.get(key)
    const isWelcome = place !== undefined && (must || !(stopped || descriptors.isFull() || isFull(place.server)))
    if (client === undefined || !isWelcome) {
      client?.close()
      load.counts.refused += 1
      link.send({ type: 'refused', seq })
      return
    }
    // Said first: once the connection is served here nobody else may have it.
    link.send({ type: 'took', seq, open: load.open() + 1 })
    load.counts.taken += 1
    keep(place, client, { pin, head: head === undefined ? undefined : Buffer.from(head, 'base64') }, isProbe === true ? 'probe' : 'told')
    descriptors.opened(client.fd ?? -1)
  }
  link.on({ connection: arrived, fetched: departures.fetched, ended: departures.ended })

  return {
    attach(key, server, handle) {
      const original = handle.onconnection
      if (original === undefined) return
      const serve: OnConnection = function onconnection(error, client) {
        // As net.js is about to see it, and to close the connection.
        if (client !== undefined && isFull(server)) load.counts.dropped += 1
        original.call(this, error, client)
      }
      const place = { server, handle, keep: serve }
      places.set(key, place)
      sticky?.attach(key, server)
      handle.onconnection = function onconnection(error, client) {
        if (client === undefined) {
          serve.call(this, error, client)
          return
        }
        load.counts.accepted += 1
        descriptors.opened(client.fd ?? -1)
        if (sticky === undefined) decide(key, client, place, UNREAD)
        else sticky.find(server, client, (found) => decide(key, client, place, found))
      }
    },
    detach(key) {
      places.delete(key)
      sticky?.detach(key)
    },
    limit(value, pinned) {
      ceiling = value
      pinnedCeiling = pinned
      departures.lookAgain()
      // Only now is it known that there are others.
      if (value === null) return
      load.enable()
      rounds ??= setInterval(round, ROUND_MS).unref()
    },
    stop() {
      stopped = true
      clearInterval(rounds)
      sticky?.stop()
      departures.stop()
    },
  }
}

/** How a worker stands. */
interface Standing {
  readonly open: number
  /** So many are enough; null: there is no limit. */
  readonly ceiling: number | null
  /** Connections that will have ended by themselves before a hand-over would be worth its cost. */
  readonly endingSoon: number
}

/** How many idle connections go in one round: half of the surplus, so that all who have one do not send too many. */
export function toMove({ open, ceiling, endingSoon }: Standing & { readonly ceiling: number }): number {
  // It was told to take nothing, not to give anything away.
  if (ceiling < 0 || !isSurplus({ open, ceiling, endingSoon })) return 0
  const surplus = open - ceiling
  if (surplus < Math.max(SLACK.connections, open * SLACK.part)) return 0
  return Math.min(MOVES, Math.ceil(surplus / 2))
}

function isFull({ maxConnections, _connections = 0 }: LimitedServer): boolean {
  return typeof maxConnections === 'number' && maxConnections > 0 && _connections >= maxConnections
}

/** Whether the last of the connections is one too many. */
export function isSurplus({ open, ceiling, endingSoon }: Standing): boolean {
  if (ceiling === null) return false
  const surplus = open - ceiling
  return surplus > 0 && surplus > endingSoon
}
