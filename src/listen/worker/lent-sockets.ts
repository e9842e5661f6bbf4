/**
 * The worker's half of sockets that belong to other slots: the primary lends one to a worker while its own slot
 * has none that accepts. What comes there goes to the server as if it had come on its own socket. The other half is
 * `listen/primary/slot-sockets.ts`.
 */
import { SLOT_SOCKET_COMMAND } from '../../protocol/messages.ts'
import type { ListenHandle } from './handles.ts'

/** A server that listens. */
interface Place {
  readonly own: ListenHandle
  readonly backlog: number
  /** By slot. */
  readonly lent: Map<number, ListenHandle>
}

export interface LentSockets {
  /** The server's own handle listens: it may have those of other slots. */
  readonly attach: (key: string, own: ListenHandle, backlog: number) => void
  /** It is closed, and so are they. */
  readonly detach: (key: string) => void
  /** Closes all that are lent; no more are taken. */
  readonly stop: () => void
}

export function createLentSockets(): LentSockets {
  const places = new Map<string, Place>()

  process.on('internalMessage' as 'message', (message: unknown, given: unknown) => {
    const { cmd, key, slot } = message as { readonly cmd?: unknown; readonly key?: unknown; readonly slot?: unknown }
    if (cmd !== SLOT_SOCKET_COMMAND || typeof key !== 'string' || typeof slot !== 'number') return
    const handle = given as ListenHandle | undefined
    const place = places.get(key)
    if (place === undefined) {
      handle?.close()
      return
    }
    place.lent.get(slot)?.close()
    place.lent.delete(slot)
    // Without a handle it is wanted back. The primary keeps its copy, so what waits in the queue stays.
    if (handle !== undefined && accept(handle, place)) place.lent.set(slot, handle)
  })

  const detach = (key: string): void => {
    for (const handle of places.get(key)?.lent.values() ?? []) handle.close()
    places.delete(key)
  }
  return {
    attach: (key, own, backlog) => void places.set(key, { own, backlog, lent: new Map() }),
    detach,
    stop() {
      for (const key of places.keys()) detach(key)
    },
  }
}

/** False when it cannot listen; it is closed then. */
function accept(handle: ListenHandle, { own, backlog }: Place): boolean {
  // Whoever stands between the handle and the server is asked anew each time.
  handle.onconnection = (error, client) => own.onconnection?.(error, client)
  // Whether the process stays alive is a matter of the server's own handle.
  handle.unref?.()
  if (handle.listen(backlog) === 0) return true
  handle.close()
  return false
}
