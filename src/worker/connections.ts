/**
 * The connections that clients hold to this worker, and what each is in the middle of. Neither a
 * connection nor a request costs anything here before a drain: the sockets are found when it begins,
 * and the state of each is read off it when it is asked for.
 */
import { subscribe } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { Socket, type Server } from 'node:net'
import { assertNever } from '../base/assert-never.ts'
import { wasFed } from '../listen/worker/feed.ts'
import { isResting } from '../listen/worker/resting.ts'
import { serverKind } from '../listen/worker/server-kind.ts'

/** What a connection is in the middle of, seen from a drain. */
export type Occupation =
  /** A request is being received, handled or answered. */
  | 'busy'
  /** Between two requests of HTTP/1.1. */
  | 'idle'
  /** HTTP/1.1 that has not sent a request yet (a browser's preconnect), or a TLS handshake. */
  | 'untouched'
  /** WebSocket, CONNECT: no longer HTTP. Before the answer to the upgrade it is busy. */
  | 'upgraded'
  /** HTTP/2, whose session is drained as a whole, or the TCP side of a TLS socket. */
  | 'carrier'
  /** A protocol that we do not know (`net`, `tls`). */
  | 'opaque'

/** Fields of `_http_server.js` on a server's socket; the same names on Node 20 to 26. */
export interface ServerSocket extends Socket {
  readonly server?: Server & { readonly keepAliveTimeout?: number }
  readonly parser?: { readonly incoming?: IncomingRequest | null } | null
  readonly _httpMessage?: OutgoingResponse | null
  readonly _parent?: Socket | null
  readonly alpnProtocol?: string | false | null
}

export interface IncomingRequest {
  readonly complete: boolean
  readonly socket: ServerSocket
}

export interface OutgoingResponse extends EventEmitter {
  shouldKeepAlive: boolean
  readonly req?: IncomingRequest
  readonly _last?: boolean
  readonly headersSent: boolean
  readonly writableEnded?: boolean
  readonly chunkedEncoding?: boolean
  /** The head as it was sent. */
  readonly _header?: string | null
}

export interface Http2Session extends EventEmitter {
  readonly closed: boolean
  readonly destroyed: boolean
  readonly state: { readonly lastProcStreamID?: number }
  readonly socket: { readonly bytesRead: number; readonly bytesWritten: number }
  ping(answered: (error: Error | null, durationMs: number) => void): boolean
  /** Sends GOAWAY, lets open streams finish, and ends the connection. */
  close(): void
}

/** What is on libuv's list of active handles; sockets that were unref'ed are not. */
const activeHandles = (process as unknown as { readonly _getActiveHandles?: () => readonly unknown[] })._getActiveHandles

export class Connections {
  /** Complete once they have been gathered; before that only those that cannot be found later. */
  readonly sockets = new Set<ServerSocket>()
  readonly sessions = new Set<Http2Session>()
  /** Connections accepted since they were gathered. */
  accepted = 0
  /** Called after a connection has ended. */
  onEnded: (() => void) | undefined
  readonly #carriers = new WeakSet<Socket>()
  readonly #watched = new WeakSet<Server>()
  readonly #unrefed: ReadonlySet<Socket> = rememberUnrefed()
  #gathered = false

  constructor() {
    // A Node that no longer lists its handles: then each connection is noted when it comes.
    if (activeHandles === undefined) this.gather()
  }

  /** Finds the connections that are open, and from now on notes those that come. */
  gather(): void {
    if (this.#gathered) return
    this.#gathered = true
    const open = activeHandles?.().filter((handle) => handle instanceof Socket) ?? []
    for (const socket of [...open, ...this.#unrefed]) if (isAccepted(socket)) this.#add(socket)
    subscribe('net.server.socket', (message) => {
      this.accepted += 1
      this.#add((message as { readonly socket: ServerSocket }).socket)
    })
  }

  #add(socket: ServerSocket): void {
    if (this.sockets.has(socket) || socket.destroyed) return
    this.sockets.add(socket)
    EventEmitter.prototype.once.call(socket, 'close', () => {
      this.sockets.delete(socket)
      this.onEnded?.()
    })
  }

  /** Follows what only the server itself announces: TLS sockets and HTTP/2 sessions. */
  watch(server: Server): void {
    if (this.#watched.has(server)) return
    this.#watched.add(server)
    if ('setTicketKeys' in server) {
      server.on('secureConnection', (socket: ServerSocket) => {
        if (socket._parent) this.#carriers.add(socket._parent)
        this.#add(socket)
      })
    }
    if (serverKind(server) === 'http2') server.on('session', (session: Http2Session) => this.#addSession(session))
  }

  #addSession(session: Http2Session): void {
    this.sessions.add(session)
    session.on('close', () => {
      this.sessions.delete(session)
      this.onEnded?.()
    })
  }

  /** True when no client is connected. */
  get none(): boolean {
    return this.sockets.size === 0 && this.sessions.size === 0
  }

  occupation(socket: ServerSocket): Occupation {
    if (this.#carriers.has(socket)) return 'carrier'
    if (socket.parser) return httpOccupation(socket)
    const kind = socket.server === undefined ? 'net' : serverKind(socket.server)
    switch (kind) {
      case 'http2':
        if (isHandshake(socket)) return 'untouched'
        // The other protocol of a server with `allowHTTP1`.
        return 'encrypted' in socket && socket.alpnProtocol !== 'h2' ? upgradedOccupation(socket) : 'carrier'
      case 'http':
      case 'https':
        return isHandshake(socket) ? 'untouched' : upgradedOccupation(socket)
      case 'tls':
        return isHandshake(socket) ? 'untouched' : 'opaque'
      case 'net':
      case 'udp':
        return 'opaque'
      default:
        return assertNever(kind)
    }
  }
}

/** Only `net.Server` and `http.Server` set this field. */
function isAccepted(socket: ServerSocket): boolean {
  return Boolean(socket.server)
}

/** Fills itself with the accepted sockets that the app unrefs: few, so that they may cost something. */
function rememberUnrefed(): ReadonlySet<Socket> {
  const unrefed = new Set<Socket>()
  const prototype = Socket.prototype
  // Called with the socket as `this`.
  // oxlint-disable-next-line typescript/unbound-method
  const original = prototype.unref
  prototype.unref = function (this: ServerSocket) {
    if (isAccepted(this) && !this.destroyed && !unrefed.has(this)) {
      unrefed.add(this)
      EventEmitter.prototype.once.call(this, 'close', () => unrefed.delete(this))
    }
    return original.call(this)
  }
  return unrefed
}

/** The raw socket of a TLS server, before there is a TLS socket above it. */
function isHandshake(socket: ServerSocket): boolean {
  return socket.server !== undefined && 'setTicketKeys' in socket.server && !('encrypted' in socket)
}

/** As long as nothing was ever written, the app has not answered the upgrade. */
function upgradedOccupation(socket: ServerSocket): Occupation {
  return socket.bytesWritten === 0 ? 'busy' : 'upgraded'
}

function httpOccupation(socket: ServerSocket): Occupation {
  if (socket._httpMessage) return 'busy'
  if (socket.parser?.incoming?.complete === false) return 'busy'
  if (isResting(socket)) return 'idle'
  // Of a TLS socket only decrypted bytes count.
  if (socket.bytesRead === 0 && !wasFed(socket)) return 'untouched'
  return isReceiving(socket) ? 'busy' : 'idle'
}

interface ParserList {
  readonly active: () => readonly unknown[]
}

/**
 * True while a head is arriving. A server's list of parsers, which Node keeps for `headersTimeout`, is the only place that
 * tells: timers do not, because apps set them too, and `incoming` comes with the whole head.
 *
 * @see src/node_http_parser.cc, ConnectionsList
 */
function isReceiving({ server, parser }: ServerSocket): boolean {
  if (server === undefined) return false
  const symbol = Object.getOwnPropertySymbols(server).find(({ description }) => description === 'http.server.connections')
  const list = symbol === undefined ? undefined : (server as unknown as Record<symbol, ParserList>)[symbol]
  return list?.active().includes(parser) === true
}
