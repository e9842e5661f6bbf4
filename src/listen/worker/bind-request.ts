/** Turns what net.js asks `cluster._getServer` for into what is asked of the primary. */
import type { Server } from 'node:net'
import { resolve } from 'node:path'
import type { BindRequest } from '../../protocol/messages.ts'

/** What net.js and dgram.js hand to `_getServer`. */
export interface Query {
  readonly address: string | null
  readonly port: number | null
  readonly addressType: number | string | null
  readonly fd?: number | null
  readonly flags?: number | null
  readonly backlog?: number | false
  readonly readableAll?: boolean
  readonly writableAll?: boolean
}

/** A server; those of TLS have data that all workers share. */
export interface AnyServer extends Server {
  readonly _getServerData?: () => { readonly ticketKeys?: string }
  readonly _setServerData?: (data: { readonly ticketKeys: string }) => void
}

/** Before it has its number. */
export type BindWish = Omit<BindRequest, 'seq'>

/** What net.js takes when the app names none. */
const DEFAULT_BACKLOG = 511

/** Counts the servers that want any free port, so that those of all workers get the same. */
export function createBindRequests(): (server: AnyServer, query: Query) => BindWish {
  const nextIndex = new Map<string, number>()
  return (server, query) => {
    const address = query.addressType === -1 && query.address !== null ? absolute(query.address) : query.address
    return {
      type: 'bind',
      address: address ?? null,
      port: query.port ?? null,
      addressType: (query.addressType as number | null) ?? null,
      fd: query.fd ?? null,
      flags: query.flags ?? 0,
      readableAll: query.readableAll === true,
      writableAll: query.writableAll === true,
      // net.js gives false, too, for none.
      backlog: query.backlog || DEFAULT_BACKLOG,
      index: query.port === 0 ? countUp(nextIndex, `${address}:${query.addressType}`) : 0,
      ticketKeys: server._getServerData?.().ticketKeys ?? null,
    }
  }
}

/** The name of an abstract socket begins with NUL and is no path (unix(7)). */
function absolute(path: string): string {
  return process.platform === 'win32' || path.startsWith('\0') ? path : resolve(path)
}

function countUp(counts: Map<string, number>, key: string): number {
  const count = counts.get(key) ?? 0
  counts.set(key, count + 1)
  return count
}
