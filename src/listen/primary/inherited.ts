/**
 * Sockets that were open when this process started: from systemd, from a parent, or from the supervisor that this
 * one takes the place of. They are adopted when a server wants them, each once.
 */
import { closeSync } from 'node:fs'
import { constants } from 'node:os'
import type { HeldBefore } from '../../protocol/legacy.ts'
import type { BindRequest } from '../../protocol/messages.ts'
import { boundTo, fit } from './announced.ts'
import { adoptHandle, type RawHandle } from './raw-handle.ts'
import { socketFile, type SocketFile } from './socket-file.ts'

const EBADF = -constants.errno.EBADF

export interface Estate {
  /** What listen({ fd }) of the app may name. */
  readonly named: ReadonlySet<number>
  /** What systemd announced: had by its address, too. */
  readonly announced?: ReadonlySet<number>
  /** What the supervisor before this one held. */
  readonly held?: readonly HeldBefore[]
}

/** What was held for one address. */
export interface Heirloom {
  readonly ticketKeys: string | null
  readonly handles: ReadonlyMap<number, RawHandle>
  /** Of a unix socket: closing what was adopted does not remove it. */
  readonly file: SocketFile | undefined
}

export class Inherited {
  readonly named: ReadonlySet<number>
  readonly announced: ReadonlySet<number>
  readonly #held: Map<string, HeldBefore>
  readonly #adopted = new Map<number, RawHandle | number>()
  #isOwner: boolean

  constructor({ named, announced = new Set(), held = [] }: Estate) {
    this.named = named
    this.announced = announced
    this.#held = new Map(held.map((one) => [one.key, one]))
    this.#isOwner = held.length === 0
  }

  /** False while the supervisor before this one may still go on: then its socket files are not ours to remove. */
  get isOwner(): boolean {
    return this.#isOwner
  }

  /** The other has gone. What no server has wanted is given up. */
  own(): void {
    this.#isOwner = true
    for (const key of this.#held.keys()) {
      const heirloom = this.byKey(key)
      for (const handle of heirloom?.handles.values() ?? []) handle.close()
      heirloom?.file?.remove()
    }
  }

  /** A negative errno when it is not ours to give, or no socket. */
  byFd(fd: number): RawHandle | number {
    return this.named.has(fd) ? this.#adopt(fd) : EBADF
  }

  /** A socket of systemd's that is bound where the server wants to listen. */
  byAddress(request: BindRequest): RawHandle | undefined {
    const fitting = [...this.announced].flatMap((fd) => {
      const handle = this.#adopt(fd)
      const bound = typeof handle === 'number' ? undefined : boundTo(handle, fd)
      const rank = bound === undefined ? undefined : fit(request, bound)
      return typeof handle === 'number' || rank === undefined ? [] : [{ handle, rank }]
    })
    return fitting.sort((a, b) => a.rank - b.rank)[0]?.handle
  }

  /** What the supervisor before this one held for the same listen(); only once. */
  byKey(key: string): Heirloom | undefined {
    const before = this.#held.get(key)
    if (before === undefined) return undefined
    this.#held.delete(key)
    const handles = new Map<number, RawHandle>()
    for (const { slot, fd } of before.sockets) {
      const handle = adoptHandle(fd)
      if (typeof handle === 'number') closeSync(fd)
      else handles.set(slot, handle)
    }
    return { ticketKeys: before.ticketKeys, handles, file: key.startsWith('unix:') ? socketFile(key.slice('unix:'.length)) : undefined }
  }

  #adopt(fd: number): RawHandle | number {
    const known = this.#adopted.get(fd)
    if (known !== undefined) return known
    const handle = adoptHandle(fd)
    this.#adopted.set(fd, handle)
    return handle
  }
}
