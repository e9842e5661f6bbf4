/** The worker's half: handles for net.Server that listen to nothing themselves. */
import { isIPv6 } from 'node:net'
import type { SocketName } from '../../protocol/messages.ts'
import type { ListenHandle } from './handles.ts'

interface Address {
  readonly address: string | null
  readonly port: number | null
  readonly addressType: number | string | null
}

/**
 * For a server whose connections come from the primary. It looks like any other to the app.
 *
 * @param name undefined for a unix socket
 * @param hold called with true while the server should keep the process alive
 */
export function passiveHandle(name: SocketName | undefined, hold: (held: boolean) => void): ListenHandle {
  let held = false
  const setHeld = (value: boolean): void => {
    if (held !== value) hold(value)
    held = value
  }
  const handle = {
    listen() {
      setHeld(true)
      return 0
    },
    close(done?: () => void) {
      setHeld(false)
      if (done !== undefined) setImmediate(done)
    },
    ref: () => setHeld(true),
    unref: () => setHeld(false),
  }
  if (name === undefined) return handle
  return Object.assign(handle, {
    getsockname: (out: object) => {
      Object.assign(out, name)
      return 0
    },
  })
}

/** For a listen() in a worker that leaves: no connection ever comes. */
export function deafHandle({ address, port, addressType }: Address): ListenHandle {
  const host = address ?? (addressType === 4 ? '0.0.0.0' : '::')
  const name = { address: host, family: isIPv6(host) ? 'IPv6' : 'IPv4', port: port ?? 0 }
  return passiveHandle(addressType === -1 ? undefined : name, () => {})
}
