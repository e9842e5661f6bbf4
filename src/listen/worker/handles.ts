/** The raw handles below net.Server and net.Socket, as far as this half needs them. */

import type { CountingHandle } from '../../protocol/read-bytes.ts'

/** A TCP or Pipe handle that listens. */
export interface ListenHandle {
  /** net.js sets it, libuv's binding calls it for each connection. */
  onconnection?: (this: unknown, error: number, client?: ClientHandle) => void
  listen(backlog: number): number
  unref?(): void
  close(done?: () => void): void
  hasRef?(): boolean
  ref?(): void
  unref?(): void
  /** Not on pipes. */
  getsockname?(out: object): number
}

/** The handle of an accepted connection. */
export interface ClientHandle extends CountingHandle {
  /** -1 where there are no descriptors. */
  readonly fd?: number
  close(): void
}
