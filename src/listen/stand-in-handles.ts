/** The worker's half: handles of servers that have no socket yet, or get none any more. */
import { isIPv6 } from 'node:net'
import type { ListenHandle } from './bind-exchange.ts'

interface Address {
  readonly address: string | null
  readonly port: number | null
  readonly addressType: number | string | null
}

/** What net.js asks of the handle of a server. */
interface StandIn extends ListenHandle {
  ref(): void
  unref(): void
  fchmod(mode: number): number
}

/**
 * What a server has between listen() and the primary's answer. Under plain node it has its handle at once: `listening` is
 * true, a second listen() throws, and close() is no error.
 */
export function pendingHandle(): StandIn {
  return {
    listen: () => 0,
    close: (done) => {
      if (done !== undefined) setImmediate(done)
    },
    ref: () => {},
    unref: () => {},
    fchmod: () => 0,
  }
}

/** What a listen() gets in a worker that leaves: as far as the app can tell it listens, but no connection comes. */
export function deafHandle({ address, port, addressType }: Address): ListenHandle {
  if (addressType === -1) return pendingHandle()
  const host = address ?? (addressType === 4 ? '0.0.0.0' : '::')
  const name = { address: host, family: isIPv6(host) ? 'IPv6' : 'IPv4', port: port ?? 0 }
  return Object.assign(pendingHandle(), {
    getsockname: (out: object) => {
      Object.assign(out, name)
      return 0
    },
  })
}
