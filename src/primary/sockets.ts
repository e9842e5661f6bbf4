/** Answers the workers' listen() calls from the held sockets, and knows where the app listens. */
import { constants } from 'node:os'
import { HeldSockets, type HeldSocketsOptions } from '../listen/primary/held-sockets.ts'
import type { HeldBefore } from '../protocol/legacy.ts'
import type { BindRequest, CopyRequest, WorkerMessage } from '../protocol/messages.ts'
import type { Listening } from './events.ts'
import type { WorkerProcess } from './worker-process.ts'

type ListeningMessage = Extract<WorkerMessage, { readonly type: 'listening' }>

/** Most places that one worker is remembered to have bound by itself. */
const OWN_LIMIT = 128

export class SocketDesk {
  readonly #held: HeldSockets
  readonly #acceptsHere: boolean
  /** What workers bound by themselves or by node:cluster's way; that such a server is closed is not told. */
  readonly #own = new Map<number, Map<string, Listening>>()
  #listened = false

  constructor(options: HeldSocketsOptions) {
    this.#held = new HeldSockets(options)
    this.#acceptsHere = options.accept !== undefined
  }

  /** Every place where the app listens now, once each. */
  get addresses(): readonly Listening[] {
    const own = [...this.#own.values()].flatMap((places) => [...places.values()])
    return [...new Map([...this.#held.places, ...own].map((place) => [nameOf(place), place])).values()]
  }

  /** Some server has listened in this run. */
  get listened(): boolean {
    return this.#listened
  }

  async bind(id: number, worker: WorkerProcess, request: BindRequest): Promise<void> {
    const result = await this.#held.bind(request, id, worker.slot)
    if (worker.exited) {
      // Its end has been dealt with before there was this socket.
      if (result.ok) this.#held.closed(result.socket.key, id)
      return
    }
    if (result.ok) worker.grant(request.seq, result.socket, this.#acceptsHere)
    else worker.refuse(request.seq, result.errno)
  }

  /** A worker that had closed its handle wants to accept again. */
  copy(id: number, worker: WorkerProcess, { seq, key }: CopyRequest): void {
    const socket = this.#held.find(key, id)
    if (socket === undefined) worker.refuse(seq, -constants.errno.EBADF)
    else worker.grant(seq, socket, this.#acceptsHere)
  }

  listening(id: number, { kind, address, port, key }: ListeningMessage): Listening {
    const place = { kind, address, port }
    this.#listened = true
    if (key === null) this.#noteOwn(id, place)
    else this.#held.listening(key, id, place)
    return place
  }

  closed(id: number, key: string): void {
    this.#held.closed(key, id)
  }

  users(key: string): ReadonlySet<number> {
    return this.#held.users(key)
  }

  /** The worker is gone or told to go: its sockets are its successor's. */
  forget(id: number): void {
    this.#own.delete(id)
    this.#held.forget(id)
  }

  /** Nobody will come back for the sockets that no worker uses. */
  releaseUnused(): void {
    this.#held.releaseUnused()
  }

  /** What a successor needs. */
  get legacy(): readonly HeldBefore[] {
    return this.#held.legacy
  }

  /** A successor has all of it. */
  giveAway(): void {
    this.#held.giveAway()
  }

  release(): void {
    this.#own.clear()
    this.#held.release()
  }

  #noteOwn(id: number, place: Listening): void {
    const places = this.#own.get(id) ?? new Map<string, Listening>()
    this.#own.set(id, places)
    if (places.size < OWN_LIMIT) places.set(nameOf(place), place)
  }
}

function nameOf({ kind, address, port }: Listening): string {
  return `${kind} ${address} ${port}`
}
