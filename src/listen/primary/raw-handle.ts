/**
 * The raw TCP and Pipe handles below `net.Server`. `net._createServerHandle` binds and does not listen;
 * it is exported, unchanged from Node 18 to 26, and what node:cluster's shared handles are made with.
 *
 * @see lib/net.js, createServerHandle
 */
import { constants } from 'node:os'
import type { SocketName } from '../../protocol/messages.ts'

/** A bound handle, or one of a connection. */
export interface RawHandle {
  readonly fd: number
  close(done?: () => void): void
  getsockname?(out: SocketName): number
  getpeername?(out: { address?: string }): number
  /** Called for each connection, once it listens. */
  onconnection?: (this: unknown, error: number, client?: RawHandle) => void
  /** Returns a negative errno, or 0. */
  listen?(backlog: number): number
  /** Pipes only: 1 readable, 2 writable by all. */
  fchmod?(mode: number): number
}

type CreateServerHandle = (address: string | null, port: number | null, addressType: number | null, fd?: number, flags?: number) => RawHandle | number

const internals = process.getBuiltinModule('node:net') as unknown as { readonly _createServerHandle?: CreateServerHandle }

/** False on a Node that no longer has what held sockets are made of; then node:cluster's way is used. */
export const canHoldSockets: boolean = typeof internals._createServerHandle === 'function'

/** Binds. Returns the handle, or a negative errno. */
export function bindHandle(address: string | null, port: number | null, addressType: number | null, flags: number): RawHandle | number {
  return internals._createServerHandle?.(address, port, addressType, undefined, flags) ?? -1
}

/** The same for TCP, and says at once that a port is in use: libuv keeps EADDRINUSE back until listen(2), but an unbound socket gives it away. */
export function bindPort(address: string | null, port: number | null, addressType: number | null, flags: number): RawHandle | number {
  const handle = bindHandle(address, port, addressType, flags)
  if (typeof handle === 'number') return handle
  const name: SocketName = {}
  const errno = handle.getsockname?.(name) ?? 0
  if (errno === 0 && (port === null || port <= 0 || name.port === port)) return handle
  handle.close()
  return errno === 0 ? -constants.errno.EADDRINUSE : errno
}

/** Makes a handle of an inherited descriptor. Returns a negative errno when it is no socket. */
export function adoptHandle(fd: number): RawHandle | number {
  return internals._createServerHandle?.(null, null, null, fd) ?? -1
}
