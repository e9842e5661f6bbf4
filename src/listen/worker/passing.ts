/**
 * Sees to it that each request is handled by the worker that it belongs to. A connection has been given to the right one
 * as it came; but a proxy may send the requests of several clients on it.
 */
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { join } from 'node:path'
import { holderOf, passSocketName, type Seat, type StickyRules } from '../../protocol/sticky.ts'
import { createForwarder, type Forwarder } from './forward.ts'
import { GREETING } from './greeting.ts'
import { takeClientFields } from './passed-client.ts'
import type { Headers, KeyReader } from './request-key.ts'
import { makeStickyCookie, readStickyCookie, sendStickyCookie } from './sticky-cookie.ts'

/** Longest path of a socket (unix(7)), without the final NUL. */
const PATH_LIMIT = process.platform === 'darwin' ? 103 : 107

export interface PassingContext {
  readonly rules: StickyRules
  readonly slot: () => number
  readonly keys: KeyReader
  readonly seats: () => readonly Seat[]
  /** A server that the app knows nothing of. */
  readonly hide: (server: Server) => void
}

export interface Passing {
  /** From now on its requests are looked at. */
  readonly attach: (key: string, server: Server) => void
  readonly detach: (key: string) => void
  /** The client whose connection this worker was told to take, whoever it belongs to. */
  readonly accepted: (socket: Socket, pin: number) => void
  /** Whatever comes on it is handled here. */
  readonly exempt: (socket: Socket) => void
  /** Takes no more from others. */
  readonly stop: () => void
}

type Emit = (this: unknown, event: string | symbol, ...given: readonly never[]) => boolean

/** The events that hand a request to the app; with the last two it has no response, but a socket. */
const REQUESTS = new Set<string | symbol>(['request', 'checkContinue', 'checkExpectation', 'upgrade', 'connect'])

export function createPassing(context: PassingContext): Passing {
  const { rules, slot, keys, seats } = context
  const places = new Map<string, { readonly server: Server; readonly entrance: Server | undefined; readonly restore: () => void }>()
  const accepted = new WeakMap<object, number>()
  /** Connections from other workers. */
  const passed = new WeakSet<object>()
  let forwarder: Forwarder | undefined

  /** Where to pass the request on to; undefined: it is handled here. */
  const elsewhere = (key: string, request: IncomingMessage, pin: number | undefined): string | undefined => {
    if (pin === undefined || accepted.get(request.socket) === pin) return undefined
    const pid = holderOf(pin, seats())?.pid
    return pid === undefined || pid === process.pid ? undefined : entrancePath(rules, pid, key)
  }
  const onRequest = (key: string, event: string | symbol, request: IncomingMessage, given: readonly unknown[], serveHere: () => void): boolean => {
    if (passed.has(request.socket)) {
      takeClientFields(request)
      return false
    }
    const hasResponse = event !== 'upgrade' && event !== 'connect'
    let pin = keys.ofRequest(fieldsOf(request), () => request.socket.remoteAddress)
    if (pin === undefined && rules.by === 'cookie' && hasResponse) pin = giveCookie(given[0] as ServerResponse)
    const path = elsewhere(key, request, pin)
    if (path === undefined) return false
    forwarder ??= createForwarder()
    if (hasResponse) forwarder.request({ request, response: given[0] as ServerResponse, path, serveHere, asksFirst: event === 'checkContinue' })
    else forwarder.tunnel(request, given[0] as Duplex, given[1] as Buffer, path, serveHere)
    return true
  }
  /** Returns its key: of a worker whose seat another one has, or none yet, that is another's. */
  const giveCookie = (response: ServerResponse): number | undefined => {
    const all = seats()
    if (all.length === 0) return undefined
    const value = makeStickyCookie(rules.secret, all.some(({ pid }) => pid === process.pid) ? slot() : undefined, all.map((seat) => seat.slot))
    sendStickyCookie(response, value)
    return readStickyCookie(rules.secret, value)
  }

  return {
    attach(key, server) {
      // Called with the server as `this`.
      // oxlint-disable-next-line typescript/unbound-method
      const original = server.emit as Emit
      const emit: Emit = function (this: unknown, event, ...given) {
        const [request, ...others] = given as readonly unknown[]
        if (REQUESTS.has(event) && onRequest(key, event, request as IncomingMessage, others, () => void original.call(this, event, ...given))) return true
        return original.call(this, event, ...given)
      }
      Object.defineProperty(server, 'emit', { value: emit, configurable: true, writable: true })
      const entrance = openEntrance(context, key, server as HttpServer, passed)
      places.set(key, { server, entrance, restore: () => server.emit === emit && delete (server as Partial<Server>).emit })
    },
    detach(key) {
      places.get(key)?.entrance?.close()
      places.get(key)?.restore()
      places.delete(key)
    },
    accepted(socket, pin) {
      // One of its own goes with the seat, whoever has it next.
      if (holderOf(pin, seats())?.pid !== process.pid) accepted.set(socket, pin)
    },
    exempt(socket) {
      passed.add(socket)
    },
    stop() {
      for (const { entrance } of places.values()) entrance?.close()
    },
  }
}

/** A socket on which other workers bring requests. Its connections are the app's server's, as if it had accepted them. */
function openEntrance({ rules, hide }: PassingContext, key: string, server: HttpServer, passed: WeakSet<object>): Server | undefined {
  const path = entrancePath(rules, process.pid, key)
  if (path === undefined) return undefined
  const net = process.getBuiltinModule('node:net')
  const entrance = net.createServer({ allowHalfOpen: true }, (socket) => {
    passed.add(socket)
    socket.write(GREETING)
    // Node closes after the last response whether all was read or not, and to the other side a reset comes before what it has not read yet.
    socket.destroySoon = () => void socket.end()
    server.emit('connection', socket)
  })
  hide(entrance)
  // Without it a request is handled where it arrives.
  entrance.on('error', () => {})
  entrance.listen({ path, exclusive: true }).unref()
  return entrance
}

function entrancePath({ socketDir, secret }: StickyRules, pid: number, key: string): string | undefined {
  if (socketDir === null) return undefined
  const path = join(socketDir, passSocketName(pid, secret, key))
  return Buffer.byteLength(path) > PATH_LIMIT ? undefined : path
}

function fieldsOf({ headers }: IncomingMessage): Headers {
  return (name) => {
    const value: unknown = headers[name]
    if (Array.isArray(value)) return value.join(', ')
    return typeof value === 'string' ? value : undefined
  }
}
