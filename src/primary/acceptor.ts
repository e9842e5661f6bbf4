/** Whether the supervisor itself accepts, and what it knows of a connection by then. */
import { remember } from '../base/remember.ts'
import type { Settings } from '../config/types.ts'
import type { AcceptHere } from '../listen/primary/held-sockets.ts'
import type { RawHandle } from '../listen/primary/raw-handle.ts'
import type { Origin } from '../listen/primary/relay.ts'
import { clientOf, pinOf, type StickyRules } from '../protocol/sticky.ts'

/** Clients whose keys are kept. */
const KEPT = 4096

/** For a client that is known by its address alone: to hand over nearly every connection would cost more than to accept it here. */
export function acceptsHere(balance: Settings['balance'], sticky: Pick<StickyRules, 'by' | 'trusted'> | undefined): boolean {
  return sticky === undefined ? balance === 'round-robin' : sticky.by === 'ip' && sticky.trusted.length === 0
}

/** What takes the connections of the held sockets; undefined: the workers accept. */
export function acceptor(balance: Settings['balance'], sticky: StickyRules | undefined, accepted: (origin: Origin, client: RawHandle) => void): AcceptHere | undefined {
  if (!acceptsHere(balance, sticky)) return undefined
  const pinOfPeer = sticky === undefined ? undefined : createPeerPin(sticky.secret)
  return (key, client) => accepted(withPin({ key }, pinOfPeer?.(client)), client)
}

/** The key of a client that is known by its address; undefined for a unix socket, which has none. */
export function createPeerPin(secret: string): (client: RawHandle) => number | undefined {
  const pin = remember(KEPT, (address) => pinOf(secret, clientOf(address)))
  return (client) => {
    const peer: { address?: string } = {}
    client.getpeername?.(peer)
    return peer.address === undefined ? undefined : pin(peer.address)
  }
}

/** What is known of a connection, with the key that was found. */
export function withPin(origin: Origin, pin: number | undefined): Origin {
  return pin === undefined ? origin : { ...origin, pin }
}
