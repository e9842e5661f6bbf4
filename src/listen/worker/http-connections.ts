/**
 * The connections of an HTTP/1.1 server, by the list of parsers that Node keeps for `headersTimeout`.
 *
 * @see src/node_http_parser.cc, ConnectionsList
 */
import type { Server } from 'node:net'

export interface ConnectionsList<Parser> {
  readonly all: () => readonly Parser[]
  /** Parsers that have not seen a byte of the next message. */
  readonly idle: () => readonly Parser[]
}

/** Undefined for other servers. */
export function connectionsOf<Parser>(server: Server): ConnectionsList<Parser> | undefined {
  const symbol = Object.getOwnPropertySymbols(server).find(({ description }) => description === 'http.server.connections')
  return symbol === undefined ? undefined : (server as unknown as Record<symbol, ConnectionsList<Parser> | undefined>)[symbol]
}
