/**
 * The worker's half of the sockets: every listen() of the app asks the primary for the held socket
 * instead of binding one. The other half is `listen/primary/held-sockets.ts`.
 *
 * The hook is `cluster._getServer(server, query, callback)`, which net.js calls in a cluster worker
 * with the arguments of listen() already normalised. The handle that it gives back is an ordinary
 * listening handle: the worker itself accepts from it.
 *
 * @see lib/net.js (listenInCluster), lib/internal/cluster/child.js
 */
import { AsyncResource } from 'node:async_hooks'
import type { Server } from 'node:net'
import type { BindReply, WorkerMessage } from '../../protocol/messages.ts'
import type { Seat, StickyRules } from '../../protocol/sticky.ts'
import { BindExchange } from './bind-exchange.ts'
import { createBindRequests, type AnyServer, type BindWish, type Query } from './bind-request.ts'
import { createDepartures } from './departures.ts'
import { createDescriptors, type Descriptors } from './descriptors.ts'
import { createGate, type Gate } from './gate.ts'
import type { ListenHandle } from './handles.ts'
import { createLentSockets, type LentSockets } from './lent-sockets.ts'
import { createLoadMeter, type LoadMeter } from './load.ts'
import { announce, onListening, tellFailure } from './places.ts'
import { deafHandle, pendingHandle } from './stand-in-handles.ts'
import type { createStickiness, Stickiness } from './stickiness.ts'
import { createSurplus, type Surplus } from './surplus.ts'
import { createValve, type Valve } from './valve.ts'
import { openWorkerLink } from './worker-link.ts'

type Callback = (errno: number | null, handle?: ListenHandle) => void

type HandledServer = AnyServer & { _handle: ListenHandle | null }

interface ClusterInternals {
  _getServer: (server: HandledServer, query: Query, callback: Callback) => void
}

/** What this room needs of the worker around it. */
export interface ListenContext {
  readonly cluster: unknown
  /** Leave every listen() to node:cluster's own primary. */
  readonly viaCluster: boolean
  /** Idle connections may move to other workers. */
  readonly rebalance: boolean
  /** Accept nothing before {@link Listeners.open}. */
  readonly gated: boolean
  readonly channel: { readonly send: (message: WorkerMessage) => void; readonly hold: (held: boolean) => void }
  readonly readiness: { readonly listenStarted: () => void; readonly listenEnded: (bound: boolean) => void }
  /** Told of each server that listens, before it accepts. */
  readonly connections: { readonly watch: (server: Server) => void }
  readonly slot: () => number
  readonly sticky: StickyRules | null
}

export interface Listeners {
  /** Takes the primary's answer to a bind. */
  readonly settle: (reply: BindReply) => void
  /** Node's channel is closed: what is asked for and has not come is refused. */
  readonly disconnected: () => void
  /** From now on a listen() of the app succeeds without any effect. */
  readonly openNoMore: () => void
  /** Takes the primary's word on how many connections are enough. */
  readonly limit: (ceiling: number | null, pinned: number | null) => void
  /** Takes the primary's word on who has which slot. */
  readonly setSeats: (seats: readonly Seat[]) => void
  /** Accept from now on. */
  readonly open: () => void
  /** Tells the primary its load. */
  readonly report: () => void
  /** Open connections. */
  readonly connections: () => number
  /** Connections that are being handed over. */
  readonly leaving: () => number
  /** Sends idle connections to other workers, now and as long as there is room for more; calls `settled` whenever some have left or are kept after all. */
  readonly migrate: (settled: () => void) => void
  /** Closes every listening handle; the app's servers are not told, so their connections live on. */
  readonly stopAccepting: () => void
}

const noHandle: ListenHandle = { listen: () => 0, close: () => {} }

/** Installs the hook. Once for each process. */
export function installListenHook(context: ListenContext): Listeners {
  const { channel, readiness, connections, viaCluster } = context
  const internals = context.cluster as ClusterInternals
  const byCluster = internals._getServer.bind(internals)
  const exchange = new BindExchange(channel)
  const open = new Set<ListenHandle>()
  const link = openWorkerLink()
  const departures = createDepartures(link, () => load.open())
  const load: LoadMeter = createLoadMeter((message) => channel.send(message), departures.queued)
  const valves = new Set<Valve>()
  const gate = createGate(context.gated, (isHeld) => exchange.wait(isHeld ? 1 : -1))
  const descriptors = stopWhenFull(channel, valves)
  const lent = createLentSockets()
  const hooked = new WeakSet<Server>()
  const sticky = context.sticky === null ? undefined : loadStickiness(context.sticky, context.slot, (server) => hooked.add(server))
  const surplus = createSurplus({ load, rebalance: context.rebalance, descriptors, link, departures, sticky })
  const requestOf = createBindRequests()

  let leaving = false

  /** A worker that leaves while it boots, or listens in its own shutdown: an error now would only look like a failure of the app. */
  const beDeaf = (query: Query, callback: Callback): void => {
    readiness.listenEnded(false)
    callback(0, deafHandle(query))
  }

  const valveOf = (handle: ListenHandle, key: string, backlog: number): Valve => {
    const valve = createValve(handle, {
      backlog,
      ask: (answered) => exchange.ask({ type: 'copy', key }, (_, copy) => answered(copy)),
      hold: (isHeld) => exchange.wait(isHeld ? 1 : -1),
      closed: () => valves.delete(valve),
    })
    valves.add(valve)
    return valve
  }

  const held = (server: HandledServer, query: Query, callback: Callback): void => {
    const request = requestOf(server, query)
    exchange.ask(request, (reply, handle) => {
      if (leaving) {
        beDeaf(query, callback)
        return
      }
      if (!reply.ok || handle === undefined) {
        const errno = reply.ok ? 0 : reply.errno
        readiness.listenEnded(false)
        tellFailure(channel, errno, request)
        callback(errno, noHandle)
        return
      }
      if (reply.ticketKeys !== null) server._setServerData?.({ ticketKeys: reply.ticketKeys })
      const valve = reply.accepts === 'worker' ? valveOf(handle, reply.key, request.backlog) : undefined
      follow({ ...context, load, surplus, lent, gate }, open, { server, request, key: reply.key, handle })
      connections.watch(server)
      callback(0, handle)
      if (descriptors.isFull()) valve?.shut()
    })
  }

  internals._getServer = (server, query, answer) => {
    // The answer comes from a pipe or from node:cluster; the app's callbacks belong to its call of listen().
    const bound = AsyncResource.bind(answer)
    // Datagram sockets are always shared the way of node:cluster.
    const isDatagram = typeof query.addressType === 'string'
    const callback = isDatagram ? bound : standIn(server, bound)
    hooked.add(server)
    readiness.listenStarted()
    if (leaving && !isDatagram) {
      setImmediate(beDeaf, query, callback)
      return
    }
    if (!viaCluster && !isDatagram) {
      held(server, query, callback)
      return
    }
    connections.watch(server)
    exchange.wait(1)
    byCluster(server, query, (errno, handle) => {
      exchange.wait(-1)
      callback(errno, handle)
      if (!errno) setImmediate(announce, channel, server, null)
      readiness.listenEnded(!errno)
    })
  }
  announceOwnSockets(context, hooked)

  return {
    settle: (reply) => exchange.settle(reply),
    disconnected: () => exchange.disconnected(),
    openNoMore() {
      leaving = true
      descriptors.stop()
      surplus.stop()
      exchange.abandon()
    },
    limit: surplus.limit,
    setSeats: (seats) => sticky?.setSeats(seats),
    open: gate.open,
    report: () => load.report(true),
    connections: load.open,
    leaving: departures.leaving,
    migrate(settled) {
      departures.onSettled(() => {
        surplus.migrate()
        settled()
      })
      surplus.migrate()
    },
    stopAccepting() {
      lent.stop()
      for (const handle of open) {
        open.delete(handle)
        handle.close()
      }
    },
  }
}

/** From a file of its own beside the preload: most workers need none of it. */
function loadStickiness(...given: Parameters<typeof createStickiness>): Stickiness {
  const load = process.getBuiltinModule('node:module').createRequire(import.meta.filename)
  const room = load('./sticky.cjs') as { readonly createStickiness: typeof createStickiness }
  return room.createStickiness(...given)
}

/** Where hardly any descriptor is left, connections stay in the queues. */
function stopWhenFull({ send }: ListenContext['channel'], valves: ReadonlySet<Valve>): Descriptors {
  return createDescriptors({
    full(use) {
      // Without Node's channel no copy of a socket can ever come.
      if (process.connected) for (const valve of valves) valve.shut()
      send({ type: 'full', ...use })
    },
    accepting() {
      for (const valve of valves) valve.open()
      send({ type: 'accepting' })
    },
  })
}

/** Gives the server a handle until the answer comes, as it would have under plain node. */
function standIn(server: HandledServer, callback: Callback): Callback {
  const pending = pendingHandle()
  server._handle = pending
  return (errno, handle) => {
    // Closed meanwhile, it has none; net.js then closes the one that comes.
    if (server._handle === pending) server._handle = null
    callback(errno, handle)
  }
}

interface Balancing {
  readonly load: LoadMeter
  readonly surplus: Surplus
  readonly lent: LentSockets
  readonly gate: Gate
}

interface Bound {
  readonly server: AnyServer
  readonly request: BindWish
  readonly key: string
  readonly handle: ListenHandle
}

/** Tells the primary what becomes of a handle: that it listens, that it could not, that the app closed it. */
function follow({ channel, readiness, load, surplus, lent, gate }: ListenContext & Balancing, open: Set<ListenHandle>, { server, request, key, handle }: Bound): void {
  open.add(handle)
  let begun = false
  watchHandle(handle, gate, {
    listening(errno) {
      begun = true
      if (errno === 0) {
        load.watch(server)
        surplus.attach(key, server, handle)
        gate.whenOpen(() => open.has(handle) && lent.attach(key, handle, request.backlog))
      }
      // Told before the readiness that follows from it.
      if (errno === 0) setImmediate(announce, channel, server, key)
      else tellFailure(channel, errno, request)
      readiness.listenEnded(errno === 0)
    },
    closed() {
      // The server was closed while the bind was under way: nothing will listen.
      if (!begun) readiness.listenEnded(false)
      begun = true
      if (!open.delete(handle)) return
      surplus.detach(key)
      lent.detach(key)
      channel.send({ type: 'closed', key })
    },
  })
}

/** Servers that bind by themselves pass the hook by. */
function announceOwnSockets({ channel, readiness, connections }: ListenContext, hooked: WeakSet<Server>): void {
  onListening((server) => {
    if (hooked.has(server)) return
    connections.watch(server)
    announce(channel, server, null)
    readiness.listenStarted()
    readiness.listenEnded(true)
  })
}

/** Own properties on the handle, so that nothing of the app's server object changes. */
function watchHandle(handle: ListenHandle, gate: Gate, on: { readonly listening: (errno: number) => void; readonly closed: () => void }): void {
  const listen = handle.listen.bind(handle)
  const close = handle.close.bind(handle)
  let isClosed = false
  handle.listen = (backlog) => {
    let errno = 0
    gate.whenOpen(() => {
      if (!isClosed) errno = listen(backlog)
    })
    on.listening(errno)
    return errno
  }
  handle.close = (done) => {
    isClosed = true
    on.closed()
    close(done)
  }
}
