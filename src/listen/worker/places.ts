/** Tells the primary where the app listens, and where it cannot. */
import { subscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:net'
import { getSystemErrorName } from 'node:util'
import type { WorkerMessage } from '../../protocol/messages.ts'
import type { BindWish } from './bind-request.ts'
import { serverKind } from './server-kind.ts'

interface Channel {
  readonly send: (message: WorkerMessage) => void
}

/** @param key the held socket, null for one that the primary does not hold */
export function announce(channel: Channel, server: Server, key: string | null): void {
  const address = server.address()
  if (address === null) return
  const kind = serverKind(server)
  if (typeof address === 'string') channel.send({ type: 'listening', kind, address, port: null, key })
  else channel.send({ type: 'listening', kind, address: address.address, port: address.port, key })
}

/** @param errno negative, as libuv gives it */
export function tellFailure(channel: Channel, errno: number, { address, port }: Pick<BindWish, 'address' | 'port'>): void {
  channel.send({ type: 'listenFailed', code: getSystemErrorName(errno), address, port })
}

/** Calls back for each server that listens, once it does: also for those that bind by themselves (`exclusive`, `reusePort`, a handle of the app's own). */
export function onListening(listening: (server: Server) => void): void {
  subscribe('tracing:net.server.listen:asyncEnd', (message) => listening((message as { readonly server: Server }).server))
}
