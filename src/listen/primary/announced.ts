/** Sockets that systemd has bound, and which of them a listen() means. @see sd_listen_fds(3), systemd.socket(5) */
import { fstatSync, readFileSync } from 'node:fs'
import { SocketAddress } from 'node:net'
import type { BindRequest, SocketName } from '../../protocol/messages.ts'
import type { RawHandle } from './raw-handle.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Descriptors that systemd passed to this process. */
export function announcedSockets(env: Environment): ReadonlySet<number> {
  return new Set(env['LISTEN_PID'] === String(process.pid) ? Array.from({ length: announcedCount(env) }, (_, index) => index + 3) : [])
}

/** What to tell if systemd passed sockets, and not to this process; else undefined. */
export function misplacedSockets(env: Environment): string | undefined {
  const count = announcedCount(env)
  const pid = env['LISTEN_PID'] ?? ''
  if (count === 0 || pid === String(process.pid)) return undefined
  const [what, them] = count === 1 ? ['a socket', 'it'] : [`${count} sockets`, 'them']
  return `systemd passed ${what} to process ${pid === '' ? 'unknown' : pid}, and this is process ${process.pid}: npm, npx or a shell stands between and has kept ${them}. Name node and the file in ExecStart: /usr/bin/node <path of everycore>/dist/cli.cjs <script>`
}

function announcedCount(env: Environment): number {
  const count = Number(env['LISTEN_FDS'] ?? 0)
  return Number.isInteger(count) && count > 0 && count < 64 ? count : 0
}

/** Where a socket is bound. */
export type Bound = { readonly address: string; readonly port: number } | { readonly path: string }

/** Undefined for a socket that is none of TCP and unix, and for a unix socket where the system does not tell its path. */
export function boundTo(handle: RawHandle, fd: number): Bound | undefined {
  if (handle.getsockname === undefined) {
    const path = unixPath(fd)
    return path === undefined ? undefined : { path }
  }
  const { address, port }: SocketName = nameOf(handle)
  return address === undefined || port === undefined ? undefined : { address, port }
}

function nameOf(handle: RawHandle): SocketName {
  const name: SocketName = {}
  handle.getsockname?.(name)
  return name
}

/**
 * How well a socket fits what was asked for: the lowest number of all wins, undefined does not fit. Who asks for all
 * addresses of IPv4 gets a socket for all addresses, since beside it no other can be bound.
 */
export function fit({ address, port, addressType }: BindRequest, bound: Bound): number | undefined {
  if (addressType === -1) return 'path' in bound && bound.path === address ? 0 : undefined
  if ('path' in bound || port === null || port === 0 || bound.port !== port) return undefined
  const choices = address === null ? ['::', '0.0.0.0'] : address === '0.0.0.0' ? ['0.0.0.0', '::'] : [canonical(address)]
  const at = choices.indexOf(bound.address)
  return at === -1 ? undefined : at
}

/** As the system writes it. */
function canonical(address: string): string {
  try {
    return address.includes(':') ? new SocketAddress({ address, family: 'ipv6' }).address : address
  } catch {
    return address
  }
}

/** Linux tells the path of a socket by its inode. @see proc_net_unix in proc(5) */
function unixPath(fd: number): string | undefined {
  try {
    const { ino } = fstatSync(fd)
    for (const line of readFileSync('/proc/net/unix', 'utf8').split('\n')) {
      const [, , , , , , inode, ...path] = line.split(/ +/)
      if (Number(inode) !== ino || path.length === 0) continue
      const name = path.join(' ')
      return name.startsWith('@') ? `\0${name.slice(1)}` : name
    }
  } catch {
    // Not Linux, or /proc is not there.
  }
  return undefined
}
