/** Finds out whose a connection is that has just been accepted: by its address, or by the head of its first request. */
import type { Server, Socket } from 'node:net'
import { holderOf, type Seat, type StickyRules } from '../../protocol/sticky.ts'
import { headersOf, isWholeHead, proxiedClient } from './first-bytes.ts'
import { createPassing } from './passing.ts'
import { createPeeks, type ReadableHandle } from './peek.ts'
import { createKeyReader } from './request-key.ts'
import { serverKind } from './server-kind.ts'

/** What is known of a client: its key, and the bytes that were read to find it. */
export interface Peeked {
  readonly pin: number | undefined
  readonly head: Buffer | undefined
  /** Only the primary can tell whose it is. */
  readonly isOpen?: boolean
}

interface AcceptedHandle extends ReadableHandle {
  getpeername?: (out: { address?: string }) => number
}

export interface Stickiness {
  /** Calls `done` once, at the latest after some seconds. */
  readonly find: (server: Server, client: AcceptedHandle, done: (found: Peeked) => void) => void
  /** Is it one of this worker's clients? */
  readonly owns: (pin: number) => boolean
  readonly setSeats: (seats: readonly Seat[]) => void
  readonly attach: (key: string, server: Server) => void
  readonly detach: (key: string) => void
  readonly accepted: (socket: Socket, pin: number) => void
  /** Whatever comes on it is for this worker. */
  readonly exempt: (socket: Socket) => void
  /** Decide on everything, now; this worker leaves. */
  readonly stop: () => void
}

export function createStickiness(rules: StickyRules, slot: () => number, hide: (server: Server) => void): Stickiness {
  const keys = createKeyReader(rules)
  const peeks = createPeeks()
  let seats: readonly Seat[] = []
  let stopped = false
  const passing = createPassing({ rules, slot, keys, seats: () => seats, hide })

  const isEnough = (isHttp: boolean, head: Buffer): boolean => {
    const client = rules.by === 'ip' ? proxiedClient(head) : null
    return client === null ? !isHttp || isWholeHead(head) : client !== undefined
  }
  const pinOfHead = (isHttp: boolean, head: Buffer, peer: () => string | undefined): number | undefined => {
    const client = rules.by === 'ip' ? proxiedClient(head) : null
    if (typeof client === 'string') return keys.ofPeer(client)
    const pin = isHttp ? keys.ofRequest(headersOf(head), peer) : undefined
    return pin ?? (rules.by === 'ip' ? keys.ofPeer(peer()) : undefined)
  }

  return {
    find(server, client, done) {
      // Nobody is there to have it, or only this worker.
      if (stopped || seats.every(({ pid }) => pid === process.pid)) {
        done({ pin: undefined, head: undefined })
        return
      }
      const peer = (): string | undefined => {
        const name: { address?: string } = {}
        client.getpeername?.(name)
        return name.address
      }
      const isHttp = serverKind(server) === 'http'
      const tells = rules.by === 'ip' ? keys.isTrusted(peer()) : isHttp
      if (!tells) {
        done({ pin: keys.ofPeer(peer()), head: undefined })
        return
      }
      peeks.read(client, (head) => isEnough(isHttp, head), (head) => done({ pin: pinOfHead(isHttp, head, peer), head, isOpen: rules.by === 'function' && isHttp }))
    },
    owns: (pin) => holderOf(pin, seats)?.pid === process.pid,
    setSeats(given) {
      seats = given
    },
    attach(key, server) {
      if (serverKind(server) === 'http' && rules.by !== 'function') passing.attach(key, server)
    },
    detach: passing.detach,
    accepted: passing.accepted,
    exempt: passing.exempt,
    stop() {
      stopped = true
      peeks.endAll()
      passing.stop()
    },
  }
}
