/**
 * The primary's half of the sockets: it binds and keeps them, and leaves it to the workers to accept. A
 * queued connection therefore survives the death of any worker, and a paused primary stops no traffic. Only
 * a strategy that decides on every connection has the primary accept. The other half is `listen/worker/listen-hook.ts`.
 */
import { constants } from 'node:os'
import type { HeldBefore } from '../../protocol/legacy.ts'
import type { BindRequest, ServerKind } from '../../protocol/messages.ts'
import { sharedSocket, type AddressSockets } from './address-sockets.ts'
import { heldSocketLimit } from './descriptors.ts'
import type { Heirloom, Inherited } from './inherited.ts'
import { bindPath } from './path-socket.ts'
import { bindPort, type RawHandle } from './raw-handle.ts'
import { bindFirst, SlotSockets, type Lending } from './slot-sockets.ts'
import { closeWithoutFile, type SocketFile } from './socket-file.ts'

/** A socket that outlives the workers that accept from it. */
export interface HeldSocket {
  readonly key: string
  readonly handle: RawHandle
  /** Shared by the servers of all workers, so that a TLS session resumes on any of them; hexadecimal. */
  readonly ticketKeys: string | null
}

/** Where a server of the app listens. `port` is null for a unix socket, whose path is the address. */
export interface Place {
  readonly kind: ServerKind
  readonly address: string
  readonly port: number | null
}

interface Entry extends Omit<HeldSocket, 'handle'> {
  readonly sockets: AddressSockets
  /** Not bound by any supervisor: it cannot be had again, so it is never given up. */
  readonly stays: boolean
  /** The file of a unix socket that was bound by the supervisor before this one. */
  readonly file: SocketFile | undefined
  /** The same, if it was bound here. */
  readonly boundPath: string | undefined
  /** Workers whose server is open. */
  readonly users: Set<number>
  /** Undefined until a worker listens. */
  place: Place | undefined
  /** Set when nobody uses it and it is about to be given up. `by`: the worker that closed its server. */
  leaving: { readonly by: number | undefined; readonly timer: NodeJS.Timeout } | undefined
}

export type BindResult = { readonly ok: true; readonly socket: HeldSocket } | { readonly ok: false; readonly errno: number }

const EADDRINUSE = -constants.errno.EADDRINUSE
const EINVAL = -constants.errno.EINVAL
const EMFILE = -constants.errno.EMFILE
const ECANCELED = -constants.errno.ECANCELED
/**
 * A socket that is not needed any more is kept for this long. An app that closes its server may be about to
 * end, as many do after an error that nobody caught: then its successor finds it. And an app that says that
 * it is ready may listen a moment later.
 */
const GRACE_MS = 1000

/** Takes a connection that was accepted here. */
export type AcceptHere = (key: string, client: RawHandle) => void

export interface HeldSocketsOptions {
  readonly inherited: Inherited
  /** Gets every connection; undefined: the workers accept. */
  readonly accept: AcceptHere | undefined
  /** Gives each slot a TCP socket of its own; undefined: the slots share one. */
  readonly lending: Lending | undefined
}

export class HeldSockets {
  readonly #entries = new Map<string, Entry>()
  /** Binds that wait for something, by key: the same address is bound once. */
  readonly #opening = new Map<string, Promise<Entry | number>>()
  readonly #limit = heldSocketLimit()
  readonly #options: HeldSocketsOptions
  #released = false
  #isGivenAway = false

  constructor(options: HeldSocketsOptions) {
    this.#options = options
  }

  /** Gives the held socket for a listen() of the worker of a slot; binds it when it is the first. */
  async bind(request: BindRequest, worker: number, slot: number): Promise<BindResult> {
    const key = keyOf(request)
    // Without a wait where there is none: a worker's messages take effect in their order.
    const entry = this.#entries.get(key) ?? (await this.#open(key, request))
    if (typeof entry === 'number') return { ok: false, errno: entry }
    // Two servers of one process on one address: refused, as the kernel would.
    if (entry.users.has(worker) && !isByFd(key)) return { ok: false, errno: EADDRINUSE }
    entry.users.add(worker)
    keep(entry)
    return { ok: true, socket: { key, ticketKeys: entry.ticketKeys, handle: entry.sockets.enter(worker, slot) } }
  }

  /** The held socket, if a server of the worker listens on it. */
  find(key: string, worker: number): HeldSocket | undefined {
    const entry = this.#entries.get(key)
    const handle = entry?.users.has(worker) === true ? entry.sockets.of(worker) : undefined
    return entry === undefined || handle === undefined ? undefined : { key, ticketKeys: entry.ticketKeys, handle }
  }

  /** A server of the worker listens on the held socket. */
  listening(key: string, worker: number, place: Place): void {
    const entry = this.#entries.get(key)
    if (entry?.users.has(worker) !== true) return
    entry.place = place
    entry.sockets.listens(worker)
  }

  /** Workers whose server on that socket is open. */
  users(key: string): ReadonlySet<number> {
    return this.#entries.get(key)?.users ?? new Set()
  }

  /** Where the app listens, or will again as soon as it has a worker. */
  get places(): readonly Place[] {
    return [...this.#entries.values()].flatMap(({ place, leaving }) => (place === undefined || leaving !== undefined ? [] : [place]))
  }

  /** The app closed the server. When no other worker has it open, the port is free as under plain node: as soon as it is clear that the worker lives on. */
  closed(key: string, worker: number): void {
    const entry = this.#entries.get(key)
    if (entry === undefined || !entry.users.delete(worker)) return
    entry.sockets.leave(worker)
    if (entry.users.size > 0 || entry.stays) return
    this.#leave(entry, worker)
  }

  /** The worker is gone, or about to go; its sockets stay for its successor, and so do those that were no longer needed while it was there. */
  forget(worker: number): void {
    for (const entry of this.#entries.values()) {
      entry.users.delete(worker)
      entry.sockets.leave(worker)
      if (entry.leaving?.by === undefined || entry.leaving.by === worker) keep(entry)
    }
  }

  /** Gives up what no worker uses; nobody is bound to come back for it, but for one that is a little late. */
  releaseUnused(): void {
    for (const entry of this.#entries.values()) {
      if (entry.users.size === 0 && entry.leaving === undefined && !entry.stays) this.#leave(entry)
    }
  }

  /** All that a successor must have to listen where this one does, but for what it has by its number. */
  get legacy(): readonly HeldBefore[] {
    const held = [...this.#entries.values()].filter(({ stays }) => !stays)
    return held.map(({ key, ticketKeys, sockets }) => ({ key, ticketKeys, sockets: [...sockets.all].map(([slot, { fd }]) => ({ slot, fd })) }))
  }

  /** Another process has the same sockets, and goes on with them. */
  giveAway(): void {
    this.#isGivenAway = true
  }

  /** Gives everything up: the kernel refuses new connections as soon as the workers have closed too. */
  release(): void {
    this.#released = true
    for (const entry of this.#entries.values()) this.#drop(entry)
  }

  #leave(entry: Entry, by?: number): void {
    entry.leaving = { by, timer: setTimeout(() => this.#drop(entry), GRACE_MS).unref() }
  }

  #drop(entry: Entry): void {
    const { key, sockets, file, boundPath } = entry
    keep(entry)
    this.#entries.delete(key)
    if (this.#isGivenAway && boundPath !== undefined) {
      for (const handle of sockets.all.values()) closeWithoutFile(handle, boundPath, this.#options.accept !== undefined)
      return
    }
    sockets.close()
    if (!this.#isGivenAway && this.#options.inherited.isOwner) file?.remove()
  }

  /** Ends the grace of all that have one. False when there were none. */
  #dropLeaving(): boolean {
    const leaving = [...this.#entries.values()].filter((entry) => entry.leaving !== undefined)
    for (const entry of leaving) this.#drop(entry)
    return leaving.length > 0
  }

  #isFull(): boolean {
    return this.#entries.size + this.#opening.size >= this.#limit
  }

  async #open(key: string, request: BindRequest): Promise<Entry | number> {
    if (this.#isFull() && !(this.#dropLeaving() && !this.#isFull())) return EMFILE
    return this.#opening.get(key) ?? this.#begin(key, request)
  }

  async #begin(key: string, request: BindRequest): Promise<Entry | number> {
    const { accept, inherited } = this.#options
    const heirloom = inherited.byKey(key)
    const opening = (heirloom === undefined ? this.#bind(request) : firstOf(heirloom, this.#options.lending))
      .catch(() => EINVAL)
      .then((found) => (typeof found === 'number' || accept === undefined ? found : listenHere(found, request.backlog, (client) => accept(key, client))))
      .then((found) => this.#keep(key, found, request, heirloom))
    this.#opening.set(key, opening)
    return opening
  }

  #keep(key: string, found: Found | number, request: BindRequest, heirloom: Heirloom | undefined): Entry | number {
    this.#opening.delete(key)
    if (typeof found === 'number') return found
    const { handle, stays } = found
    if (this.#released) {
      handle.close()
      return ECANCELED
    }
    const path = request.addressType === -1 && !stays && heirloom === undefined ? request.address : null
    const entry: Entry = {
      key,
      sockets: stays ? sharedSocket(handle) : this.#socketsOf(key, handle, request, heirloom?.handles),
      stays,
      file: heirloom?.file,
      boundPath: path === null || path.startsWith('\0') ? undefined : path,
      ticketKeys: heirloom?.ticketKeys ?? request.ticketKeys,
      users: new Set(),
      place: undefined,
      leaving: undefined,
    }
    this.#entries.set(key, entry)
    return entry
  }

  #socketsOf(key: string, handle: RawHandle, request: BindRequest, others: ReadonlyMap<number, RawHandle> = new Map()): AddressSockets {
    const { lending } = this.#options
    if (lending === undefined || !isTcp(request)) return sharedSocket(handle)
    return new SlotSockets({ key, first: handle, address: request, lending, mayOpen: () => this.#extra() < this.#limit, others })
  }

  /** Sockets beyond one for each address. */
  #extra(): number {
    return [...this.#entries.values()].reduce((sum, { sockets }) => sum + sockets.count - 1, 0)
  }

  /** What is about to be given up must not stand in the way of another socket on its port. */
  async #bind(request: BindRequest): Promise<Found | number> {
    const { inherited } = this.#options
    const { fd } = request
    const given = fd !== null && fd >= 0 ? inherited.byFd(fd) : inherited.byAddress(request)
    if (given !== undefined) return typeof given === 'number' ? given : { handle: given, stays: true }
    const handle = await this.#handle(request)
    const second = handle === EADDRINUSE && this.#dropLeaving() ? await this.#handle(request) : handle
    return typeof second === 'number' ? second : { handle: second, stays: false }
  }

  async #handle(request: BindRequest): Promise<RawHandle | number> {
    const { address, port, addressType, flags } = request
    if (addressType === -1) return bindPath(address ?? '', request)
    return this.#options.lending === undefined ? bindPort(address, port, addressType, flags) : bindFirst(request)
  }
}

/** A socket, and whether it is one that is never given up. */
interface Found {
  readonly handle: RawHandle
  readonly stays: boolean
}

/** Of several sockets each must be accepted from, which only slots can do. */
async function firstOf({ handles }: Heirloom, lending: Lending | undefined): Promise<Found | number> {
  const [handle] = handles.values()
  if (handle === undefined || (handles.size > 1 && lending === undefined)) return EADDRINUSE
  return { handle, stays: false }
}

/** Returns what it was given, or a negative errno. A connection that could not be accepted is the kernel's to keep. */
function listenHere(found: Found, backlog: number, accept: (client: RawHandle) => void): Found | number {
  const { handle } = found
  handle.onconnection = (_error, client) => {
    if (client !== undefined) accept(client)
  }
  const errno = handle.listen?.(backlog) ?? 0
  if (errno === 0) return found
  handle.close()
  return errno
}

/** It is wanted again, or the end of its grace no longer matters. */
function keep(entry: Entry): void {
  clearTimeout(entry.leaving?.timer)
  entry.leaving = undefined
}

/** Several servers of a process may name the same descriptor. */
function isByFd(key: string): boolean {
  return key.startsWith('fd:')
}

/** Neither a unix socket nor an inherited descriptor. */
function isTcp({ addressType, fd }: BindRequest): boolean {
  return addressType !== -1 && (fd === null || fd < 0)
}

function keyOf({ address, port, addressType, fd, flags, index }: BindRequest): string {
  if (fd !== null && fd >= 0) return `fd:${fd}`
  if (addressType === -1) return `unix:${address}`
  return `tcp:${addressType}:${address ?? '*'}:${port}:${flags}${port === 0 ? `#${index}` : ''}`
}
