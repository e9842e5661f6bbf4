/** What a worker says on the control pipe, given to whom it concerns. */
import { assertNever } from '../base/assert-never.ts'
import { NO_SLOT, type State, type WorkerId } from '../core/types.ts'
import type { WorkerMessage } from '../protocol/messages.ts'
import type { Admission } from './admission.ts'
import type { Balancing } from './balancing.ts'
import type { Fact } from './engine.ts'
import type { SupervisorEventName } from './events.ts'
import type { Health } from './health.ts'
import type { SocketDesk } from './sockets.ts'
import type { Vitals } from './vitals.ts'
import type { WorkerProcess } from './worker-process.ts'

export interface MessagePorts {
  readonly sockets: SocketDesk
  readonly balancing: Balancing
  readonly admission: Admission
  readonly health: Health
  readonly vitals: Vitals
  readonly state: () => State
  readonly tell: (fact: Fact) => void
  /** Emits a public event about the worker. */
  readonly emit: (id: WorkerId, name: SupervisorEventName, details: object) => void
}

/** A listen() of the app that failed. */
export interface ListenFailure {
  readonly code: string
  readonly address: string | null
  readonly port: number | null
}

/** An app begins to listen on so many sockets at once, at most, while it is a spare. */
const KEPT_LIMIT = 1024

export class WorkerMessages {
  readonly #ports: MessagePorts
  /** What spares have asked for. */
  readonly #kept = new Map<WorkerId, (readonly [WorkerProcess, WorkerMessage])[]>()
  /** The last one. */
  listenFailure: ListenFailure | undefined

  constructor(ports: MessagePorts) {
    this.#ports = ports
  }

  take(id: WorkerId, worker: WorkerProcess, message: WorkerMessage): void {
    if (worker.slot === NO_SLOT && (message.type === 'bind' || message.type === 'ready')) this.#keep(id, worker, message)
    else this.#pass(id, worker, message)
  }

  /** A spare has its slot: what it has asked for is answered. */
  seated(id: WorkerId): void {
    const kept = this.#kept.get(id) ?? []
    this.#kept.delete(id)
    for (const [worker, message] of kept) this.#pass(id, worker, message)
  }

  /** The worker is gone. */
  forget(id: WorkerId): void {
    this.#kept.delete(id)
    this.#ports.vitals.forget(id)
  }

  /** A spare that wants to listen waits for its slot. */
  #keep(id: WorkerId, worker: WorkerProcess, message: WorkerMessage): void {
    const kept = this.#kept.get(id) ?? []
    this.#kept.set(id, kept)
    if (kept.length < KEPT_LIMIT) kept.push([worker, message])
    this.#ports.tell({ type: 'workerWaits', id })
  }

  #pass(id: WorkerId, worker: WorkerProcess, message: WorkerMessage): void {
    const { sockets, balancing, admission, health, vitals, state, tell, emit } = this.#ports
    switch (message.type) {
      case 'bind':
        balancing.introduce(id)
        // The worker listens when it has the answer; connections of others' clients can come later.
        void sockets.bind(id, worker, message).then(() => balancing.link(id))
        return
      case 'copy':
        sockets.copy(id, worker, message)
        return
      case 'full':
        balancing.setFull(id, true)
        emit(id, 'worker:full', { used: message.used, limit: message.limit })
        return
      case 'accepting':
        balancing.setFull(id, false)
        emit(id, 'worker:accepting', {})
        return
      case 'listening':
        admission.listening(id, message)
        emit(id, 'worker:listening', sockets.listening(id, message))
        return
      case 'listenFailed': {
        const { code, address, port } = message
        this.listenFailure = { code, address, port }
        emit(id, 'worker:listen-failed', this.listenFailure)
        return
      }
      case 'closed':
        sockets.closed(id, message.key)
        return
      case 'ready':
        worker.linking.whenSettled(() => admission.admit(worker, () => this.#admitted(id)))
        return
      case 'opened':
        admission.opened(id)
        return
      case 'shut':
        tell({ type: 'workerClosed', id })
        return
      case 'leave':
        tell({ type: 'workerRetireRequested', id })
        return
      case 'fatal':
        emit(id, 'worker:error', { error: message.error })
        return
      case 'load':
        balancing.take(id, message)
        vitals.takeLoad(worker, message)
        return
      case 'beat':
        // A snapshot of the heap takes many times its memory, and gives it back.
        if (worker.diagnosis.doing !== 'heap') health.beat(state(), id, message)
        return
      case 'vitals':
        vitals.take(worker, message)
        return
      case 'collected':
        vitals.takeCollected(worker, message)
        return
      default:
        assertNever(message)
    }
  }

  #admitted(id: WorkerId): void {
    this.#ports.balancing.join(id)
    this.#ports.tell({ type: 'workerReady', id })
  }
}
