/** Answers the workers' listen() calls from the held sockets, and remembers where the app listens. */
import { HeldSockets } from '../listen/primary.ts'
import type { BindRequest, WorkerMessage } from '../protocol/messages.ts'
import type { Listening } from './events.ts'
import type { WorkerProcess } from './worker-process.ts'

type ListeningMessage = Extract<WorkerMessage, { readonly type: 'listening' }>

export class SocketDesk {
  readonly #held: HeldSockets
  readonly #seen = new Map<string, Listening>()

  constructor(inherited: ReadonlySet<number>) {
    this.#held = new HeldSockets(inherited)
  }

  /** Every place where the app listens or listened, once each. */
  get addresses(): readonly Listening[] {
    return [...this.#seen.values()]
  }

  async bind(id: number, worker: WorkerProcess, request: BindRequest): Promise<void> {
    const result = await this.#held.bind(request, id)
    if (worker.exited) {
      this.#held.forget(id)
      return
    }
    if (result.ok) worker.grant(request.seq, result.socket)
    else worker.refuse(request.seq, result.errno)
  }

  listening({ kind, address, port }: ListeningMessage): Listening {
    const place = { kind, address, port }
    this.#seen.set(`${kind} ${address} ${port}`, place)
    return place
  }

  closed(id: number, key: string): void {
    this.#held.closed(key, id)
  }

  users(key: string): ReadonlySet<number> {
    return this.#held.users(key)
  }

  forget(id: number): void {
    this.#held.forget(id)
  }

  release(): void {
    this.#held.release()
  }
}
