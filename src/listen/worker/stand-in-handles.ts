/** Handles of servers that accept nothing themselves: not yet, not any more, or since the primary does. */
import { isIPv6 } from 'node:net'
import type { SocketName } from '../../protocol/messages.ts'
import type { ListenHandle } from './handles.ts'

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
  getsockname?(out: object): number
}

/**
 * For a server whose connections come from the primary. It looks like any other to the app.
 *
 * @param name null for a unix socket
 * @param hold called with true while the server should keep the process alive
 */
export function passiveHandle(name: SocketName | null, hold: (held: boolean) => void): StandIn {
  let held = false
  const setHeld = (value: boolean): void => {
    if (held !== value) hold(value)
    held = value
  }
  const handle: StandIn = {
    listen() {
      setHeld(true)
      return 0
    },
    close(done) {
      setHeld(false)
      if (done !== undefined) setImmediate(done)
    },
    ref: () => setHeld(true),
    unref: () => setHeld(false),
    fchmod: () => 0,
  }
  if (name === null) return handle
  handle.getsockname = (out) => {
    Object.assign(out, name)
    return 0
  }
  return handle
}

/**
 * What a server has between listen() and the primary's answer. Under plain node it has its handle at once: `listening` is
 * true, a second listen() throws, and close() is no error.
 */
export function pendingHandle(): StandIn {
  return passiveHandle(null, () => {})
}

/** What a listen() gets in a worker that leaves: as far as the app can tell it listens, but no connection comes. */
export function deafHandle({ address, port, addressType }: Address): StandIn {
  const host = address ?? (addressType === 4 ? '0.0.0.0' : '::')
  return passiveHandle(addressType === -1 ? null : { address: host, family: isIPv6(host) ? 'IPv6' : 'IPv4', port: port ?? 0 }, () => {})
}
