/**
 * What crosses the control pipe (fd 3 of a worker). Types only: the worker's half must stay small, so
 * the guards live in their own file and only the primary loads them.
 */
import type { ReportedError } from '../core/types.ts'
import type { Collected } from './collected.ts'
import type { Seat } from './sticky.ts'
import type { WorkerReport } from './vitals.ts'

/** fd of the control pipe in a worker. */
export const CONTROL_FD = 3

/** `cmd` of the IPC message that carries a handle. Node delivers commands that start with NODE_ as 'internalMessage', unseen by the app. */
export const HANDLE_COMMAND = 'NODE_EVERYCORE_HANDLE'

/** The same for the worker's end of the {@link ./link.ts link}. */
export const LINK_COMMAND = 'NODE_EVERYCORE_LINK'

/** The same for the listening socket of another slot: with a handle it is lent, without one it is wanted back. */
export const SLOT_SOCKET_COMMAND = 'NODE_EVERYCORE_SLOT_SOCKET'

/** Longest line that the primary takes on Node's IPC channel. */
export const IPC_LINE_BYTES = 64 * 1024

/** What kind of server listens. */
export type ServerKind = 'http' | 'https' | 'http2' | 'tls' | 'net' | 'udp'

/** A listen() of the app, as net.js normalised it (lib/net.js, listenInCluster). */
export interface BindRequest {
  readonly type: 'bind'
  readonly seq: number
  /** null: all addresses, IPv6 first. A path for unix sockets. */
  readonly address: string | null
  /** -1 for unix sockets. */
  readonly port: number | null
  /** 4, 6, or -1 for a unix socket. */
  readonly addressType: number | null
  /** The primary's descriptor of that number, as with node:cluster. */
  readonly fd: number | null
  /** 1 IPV6ONLY, 2 REUSEPORT. */
  readonly flags: number
  readonly readableAll: boolean
  readonly writableAll: boolean
  /** Length of the kernel's queue that the app asked for. */
  readonly backlog: number
  /** How many listen() calls for port 0 on that address came before in this worker. */
  readonly index: number
  /** The TLS ticket keys of this server, hexadecimal; the first worker's are given to the others. */
  readonly ticketKeys: string | null
}

/** Another handle of a held socket on which the worker's server listens. */
export interface CopyRequest {
  readonly type: 'copy'
  readonly seq: number
  readonly key: string
}

/** Where the connections of a worker came from and went, since it started. */
export interface ConnectionCounts {
  /** Accepted by this worker, and kept or handed over. */
  readonly accepted: number
  /** Given away as they came: because others had fewer, because `maxConnections` or the limit of file descriptors was reached, or because they belong to others (sticky sessions). */
  readonly handedOver: { readonly surplus: number; readonly full: number; readonly owner: number }
  /** Given away later, idle between two requests. */
  readonly moved: number
  /** Got from others, or from a supervisor that accepts. */
  readonly taken: number
  /** Offered by others, and not taken: it drained, or was full. */
  readonly refused: number
  /** Closed at once, since `maxConnections` was reached. */
  readonly dropped: number
}

/** What a worker says of its connections. */
export interface WorkerLoad extends ConnectionCounts {
  /** Open connections. */
  readonly open: number
  /** Part of the last half second or so that its event loop was busy, 0 to 1. */
  readonly busy: number
  /** Requests of HTTP/1.1 in flight, over about the last second. */
  readonly inFlight: number
  /** How late its timers were, in ms, over about the last second. */
  readonly lagMs: number
}

export type WorkerMessage =
  | BindRequest
  | CopyRequest
  | { readonly type: 'listening'; readonly kind: ServerKind; readonly address: string; readonly port: number | null; readonly key: string | null }
  /** listen(2) itself failed in the worker. */
  | { readonly type: 'listenFailed'; readonly code: string; readonly address: string | null; readonly port: number | null }
  /** The app closed a server. */
  | { readonly type: 'closed'; readonly key: string }
  | { readonly type: 'ready' }
  /** Its event loop turns. Resident memory in bytes, parts of the heap's limit and, since the last beat, of the time of the loop that are used, requests begun, answers with a status of 500 and above. */
  | { readonly type: 'beat'; readonly rss: number; readonly heap: number; readonly busy: number; readonly requests: number; readonly errors: number }
  /** What it has measured, once a second. */
  | ({ readonly type: 'vitals' } & WorkerReport)
  /** Its metrics, since it was asked for them. */
  | ({ readonly type: 'collected' } & Collected)
  /** An error that nobody caught; the process is about to end. */
  | { readonly type: 'fatal'; readonly error: ReportedError }
  /** How much the worker has to do. */
  | ({ readonly type: 'load' } & WorkerLoad)
  /** Hardly any file descriptor is left: it accepts no more for now. */
  | { readonly type: 'full'; readonly used: number; readonly limit: number }
  /** It accepts again. */
  | { readonly type: 'accepting' }
  /** It accepts, as it was told to. */
  | { readonly type: 'opened' }
  /** It drains, and accepts no more. */
  | { readonly type: 'shut' }
  /** The app wants to leave: cluster.worker.disconnect(). */
  | { readonly type: 'leave' }

/** The socket of one slot, where each has its own. */
export interface SlotSocketName {
  /** The address that it is bound to. */
  readonly key: string
  readonly slot: number
}

/** What getsockname(2) gives for TCP. */
export interface SocketName {
  readonly address?: string
  readonly family?: string
  readonly port?: number
}

export type BindReply =
  | {
      readonly type: 'bound'
      readonly seq: number
      readonly ok: true
      readonly key: string
      readonly ticketKeys: string | null
      /** Who accepts. With `worker` the handle comes by IPC. */
      readonly accepts: 'worker' | 'primary'
      /** Where the primary listens, when it accepts; null for a unix socket. */
      readonly name: SocketName | null
    }
  /** `errno` as libuv gives it: negative. */
  | { readonly type: 'bound'; readonly seq: number; readonly ok: false; readonly errno: number }

export type PrimaryMessage =
  | BindReply
  /** From so many connections on, further ones go to others; null: keep all; -1: all that come go to others, those that it has stay. `pinned`: those of clients that belong to it, too. */
  | { readonly type: 'ceiling'; readonly open: number | null; readonly pinned: number | null }
  /** Who has which slot, for sticky sessions. */
  | { readonly type: 'seats'; readonly seats: readonly Seat[] }
  /** Your slot; to a spare, which had none. */
  | { readonly type: 'seated'; readonly slot: number }
  /** Accept from now on; to a worker that was told to wait for it. */
  | { readonly type: 'open' }
  /** A stop was asked for; the drain follows. */
  | { readonly type: 'leaving' }
  /** Report your load, now. */
  | { readonly type: 'ping' }
  /** Tell your metrics. */
  | { readonly type: 'collect'; readonly seq: number }
  | {
      readonly type: 'drain'
      readonly timeoutMs: number
      /** How long idle keep-alive connections may stay; null: as long as the server promised its clients. */
      readonly lingerMs: number | null
      /** Longest time over which WebSockets and the like are ended. */
      readonly closeSpreadMs: number
      readonly reason: string
    }

/** What crosses the link, from a worker. */
export type WorkerLinkMessage =
  /** It can be reached: `nonce` came with the link, on Node's channel. */
  | { readonly type: 'hello'; readonly nonce: string }
  /** With a connection that another worker should have. */
  | { readonly type: 'offer'; readonly seq: number; readonly offer: ConnectionOffer }
  /** It has a connection that was sent to it; `open` counts it already. */
  | { readonly type: 'took'; readonly seq: number; readonly open: number }
  /** It cannot have it. */
  | { readonly type: 'refused'; readonly seq: number }

/** A connection that a worker hands over. */
export interface ConnectionOffer {
  /** The held socket on which it was accepted. */
  readonly key: string
  /** Connections that the worker keeps. */
  readonly open: number
  /** The client's key, and what was read to find it (base64), where the client counts. */
  readonly pin?: number
  readonly head?: string
  /** It is between two requests, and the client was promised that it stays open. */
  readonly idle?: true
}

/** A connection on its way to a worker. */
export interface Parcel {
  /** The held socket on which it was accepted. */
  readonly key: string
  readonly seq: number
  /** Take it, even in a drain: nobody else is there. */
  readonly must: boolean
  /** The primary asks this worker and no other. */
  readonly isProbe?: true
  /** The client's key, where the client counts. */
  readonly pin?: number
  /** What was already read, base64. */
  readonly head?: string
  /** As in {@link ConnectionOffer}. */
  readonly idle?: true
  /** Given back since too many are under way: others may have it a moment later. */
  readonly again?: true
}

/** What crosses the link, from the primary. */
export type PrimaryLinkMessage =
  | { readonly type: 'hello'; readonly nonce: string }
  /** With a connection. */
  | ({ readonly type: 'connection' } & Parcel)
  /** Whether an offer and its connection have come. */
  | { readonly type: 'fetched'; readonly seq: number; readonly ok: boolean }
