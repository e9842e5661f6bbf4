/** The worker's half: what a listen() gets in a worker that leaves. */
import { isIPv6 } from 'node:net'
import type { ListenHandle } from './bind-exchange.ts'

interface Address {
  readonly address: string | null
  readonly port: number | null
  readonly addressType: number | string | null
}

/** Listens like any other as far as the app can tell, but is bound to nothing: no connection comes. */
export function deafHandle({ address, port, addressType }: Address): ListenHandle {
  const handle = {
    listen: () => 0,
    close: (done?: () => void) => {
      if (done !== undefined) setImmediate(done)
    },
    ref: () => {},
    unref: () => {},
  }
  if (addressType === -1) return handle
  const host = address ?? (addressType === 4 ? '0.0.0.0' : '::')
  const name = { address: host, family: isIPv6(host) ? 'IPv6' : 'IPv4', port: port ?? 0 }
  return Object.assign(handle, {
    getsockname: (out: object) => {
      Object.assign(out, name)
      return 0
    },
  })
}
