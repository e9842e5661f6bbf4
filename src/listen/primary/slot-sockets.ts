/**
 * One address, a socket for each slot: the kernel spreads connections over them by a hash of the two addresses
 * and ports (SO_REUSEPORT). A socket that has once listened keeps its share of the connections for as long as it
 * is open, whether somebody accepts or not, and closing it resets what waits in its queue. So none is closed
 * before the address is given up. One without a worker that accepts is lent to workers of other slots until its
 * own is back: they accept what waits and what comes. The other half is `listen/worker/lent-sockets.ts`.
 *
 * @see socket(7), SO_REUSEPORT; net.ipv4.tcp_migrate_req in https://docs.kernel.org/networking/ip-sysctl.html
 */
import type { SlotSocketName, SocketName } from '../../protocol/messages.ts'
import type { AddressSockets } from './address-sockets.ts'
import { bindPort, type RawHandle } from './raw-handle.ts'

/** How sockets of other slots reach a worker. */
export interface Lending {
  /** False when the worker cannot be reached. */
  readonly lend: (worker: number, name: SlotSocketName, handle: RawHandle) => boolean
  readonly takeBack: (worker: number, name: SlotSocketName) => void
}

/** What of a listen() says where to bind. */
export interface TcpAddress {
  /** null: all addresses, IPv6 first. */
  readonly address: string | null
  readonly port: number | null
  readonly addressType: number | null
  /** 1 IPV6ONLY. */
  readonly flags: number
}

interface SlotSocket {
  readonly slot: number
  readonly handle: RawHandle
  readonly borrowers: Set<number>
  /** Some worker has had it: the kernel may give it connections. */
  used: boolean
}

interface User {
  readonly socket: SlotSocket
  listens: boolean
}

/** UV_TCP_REUSEPORT (libuv 1.49). @see deps/uv/include/uv.h */
const REUSEPORT = 2
/** To so many workers a socket is lent: one may be busy, and after a scale-down a single one would have twice the share of the others. */
const MOST_BORROWERS = 4

/** Binds the first socket of an address. Returns the handle, or a negative errno. */
export function bindFirst({ address, port, addressType, flags }: TcpAddress): RawHandle | number {
  if (port !== 0) {
    // With SO_REUSEPORT the port of another process of this user would be shared; without it, it is in use.
    const probe = bindPort(address, port, addressType, flags)
    if (typeof probe === 'number') return probe
    probe.close()
  }
  return bindPort(address, port, addressType, flags | REUSEPORT)
}

/** Binds one more to the same port. Which address "all" meant was decided by the first. */
function bindNext(first: RawHandle, { address, addressType, flags }: TcpAddress): RawHandle | number {
  const name: SocketName = {}
  first.getsockname?.(name)
  const type = address === null ? (name.family === 'IPv6' ? 6 : 4) : addressType
  return bindPort(address ?? name.address ?? null, name.port ?? null, type, flags | REUSEPORT)
}

export interface SlotSocketsOptions {
  readonly key: string
  readonly first: RawHandle
  readonly address: TcpAddress
  readonly lending: Lending
  /** Whether one more may be opened. */
  readonly mayOpen: () => boolean
  /** By slot, `first` among them: those that another process has opened, and maybe accepts from. */
  readonly others: ReadonlyMap<number, RawHandle>
}

export class SlotSockets implements AddressSockets {
  readonly #options: SlotSocketsOptions
  readonly #sockets = new Map<number, SlotSocket>()
  /** Workers whose server is open. */
  readonly #users = new Map<number, User>()

  constructor(options: SlotSocketsOptions) {
    this.#options = options
    for (const [slot, handle] of options.others) this.#add(slot, handle).used = true
  }

  get all(): ReadonlyMap<number, RawHandle> {
    const own = [...this.#sockets.values()].map(({ slot, handle }): [number, RawHandle] => [slot, handle])
    return own.length === 0 ? new Map([[0, this.#options.first]]) : new Map(own)
  }

  get count(): number {
    return Math.max(1, this.#sockets.size)
  }

  enter(worker: number, slot: number): RawHandle {
    const socket = this.#socketOf(slot)
    this.#users.set(worker, { socket, listens: false })
    return socket.handle
  }

  of(worker: number): RawHandle | undefined {
    return this.#users.get(worker)?.socket.handle
  }

  listens(worker: number): void {
    const user = this.#users.get(worker)
    if (user === undefined) return
    user.listens = true
    user.socket.used = true
    this.#settle()
  }

  leave(worker: number): void {
    const user = this.#users.get(worker)
    if (user === undefined) return
    this.#users.delete(worker)
    // It may have listened without having been able to say so.
    user.socket.used = true
    for (const { borrowers } of this.#sockets.values()) borrowers.delete(worker)
    this.#settle()
  }

  close(): void {
    const { first } = this.#options
    const handles = new Set([first, ...[...this.#sockets.values()].map(({ handle }) => handle)])
    this.#sockets.clear()
    this.#users.clear()
    for (const handle of handles) handle.close()
  }

  /** The first one is bound already. A slot whose socket cannot be opened shares the first. */
  #socketOf(slot: number): SlotSocket {
    const known = this.#sockets.get(slot)
    if (known !== undefined) return known
    const { first, address, mayOpen } = this.#options
    const [oldest] = this.#sockets.values()
    if (oldest === undefined) return this.#add(slot, first)
    const handle = mayOpen() ? bindNext(first, address) : undefined
    return typeof handle === 'object' ? this.#add(slot, handle) : oldest
  }

  #add(slot: number, handle: RawHandle): SlotSocket {
    const socket: SlotSocket = { slot, handle, borrowers: new Set(), used: false }
    this.#sockets.set(slot, socket)
    return socket
  }

  /** Sockets that have their worker are taken back, the others lent. */
  #settle(): void {
    const served = new Set([...this.#users.values()].flatMap(({ socket, listens }) => (listens ? [socket] : [])))
    for (const socket of this.#sockets.values()) {
      if (served.has(socket)) this.#takeBack(socket)
      else if (socket.used) this.#lend(socket)
    }
  }

  #takeBack({ slot, borrowers }: SlotSocket): void {
    const { key, lending } = this.#options
    for (const worker of borrowers) lending.takeBack(worker, { key, slot })
    borrowers.clear()
  }

  #lend({ slot, handle, borrowers }: SlotSocket): void {
    const { key, lending } = this.#options
    for (const worker of this.#ableToBorrow()) {
      if (borrowers.size >= MOST_BORROWERS) return
      if (!borrowers.has(worker) && lending.lend(worker, { key, slot }, handle)) borrowers.add(worker)
    }
  }

  /** Workers that accept, first those that have borrowed the fewest. */
  #ableToBorrow(): readonly number[] {
    const borrowed = new Map([...this.#users].flatMap(([worker, { listens }]) => (listens ? [[worker, 0] as [number, number]] : [])))
    for (const { borrowers } of this.#sockets.values()) for (const worker of borrowers) borrowed.set(worker, (borrowed.get(worker) ?? 0) + 1)
    return [...borrowed].sort(([, a], [, b]) => a - b).map(([worker]) => worker)
  }
}
