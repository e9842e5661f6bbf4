/** One worker from the perspective of the primary: its process, its pipes, its last report. Connections go by its `linking.ts`. The inside is `worker/hook.ts`. */
import type { Worker as ClusterWorker } from 'node:cluster'
import type { Socket } from 'node:net'
import { constants } from 'node:os'
import type { Launch } from '../config/types.ts'
import type { ExitReport, ReportedError, WorkerId } from '../core/types.ts'
import type { HeldSocket } from '../listen/primary/held-sockets.ts'
import type { RawHandle } from '../listen/primary/raw-handle.ts'
import type { Logs, WorkerOutput } from '../logs/logs.ts'
import type { BootInfo } from '../protocol/boot.ts'
import { HANDLE_COMMAND, LINK_COMMAND, SLOT_SOCKET_COMMAND, type PrimaryMessage, type SlotSocketName, type SocketName, type WorkerMessage } from '../protocol/messages.ts'
import type { Seat } from '../protocol/sticky.ts'
import { WorkerChannel } from './control-channel.ts'
import { WorkerDiagnosis } from './worker-diagnosis.ts'
import { forkWorker } from './fork.ts'
import { guardIpc } from './ipc-guard.ts'
import { Linking, type LinkingPorts } from './linking.ts'

const isWindows = process.platform === 'win32'
/** How long the last frames and lines of a dead worker may take to be read, before its end is told. */
const LAST_WORDS_MS = 100
/** How long its output may: a process that left its group can keep the pipes open for ever. */
const LAST_OUTPUT_MS = 1000
/** Of what a failed worker printed: a stack trace and what led to it. */
const LAST_LINES = 20
const LAST_LINE_LENGTH = 1000
/** What Node needs to print the stack of a loop without end takes about 50 ms. */
const STACK_MS = 500
/** Loans that it has not read, at most: one that reads nothing must not be sent more without end. */
const UNREAD_LOANS = 256

export interface WorkerProcessHandlers {
  readonly onSpawned: (pid: number) => void
  readonly onSpawnFailed: (code: string) => void
  readonly onMessage: (message: WorkerMessage) => void
  readonly onAppMessage: (body: string, handle?: unknown) => void
  readonly onLinked: LinkingPorts['onLinked']
  readonly onUnlinked: LinkingPorts['onUnlinked']
  readonly onLinkMessage: LinkingPorts['onMessage']
  readonly onDisconnected: () => void
  readonly onViolation: (why: string) => void
  /** Once, when the process is gone and all that it said on the control pipe and printed has been read. */
  readonly onExited: (exit: ExitReport) => void
}

export interface WorkerProcessOptions {
  readonly id: WorkerId
  readonly launch: Launch
  readonly preload: string
  readonly boot: BootInfo
  readonly logs: Logs
  readonly viaCluster: boolean
}

/** Our ends of its pipes. */
interface Ends {
  readonly channel: WorkerChannel
  readonly output: WorkerOutput
}

export class WorkerProcess {
  readonly id: WorkerId
  readonly pid: number
  /** -1: a spare, which has none yet. */
  slot: number
  readonly generation: number
  /** The way that connections go. */
  readonly linking: Linking
  readonly diagnosis: WorkerDiagnosis
  readonly #worker: ClusterWorker
  readonly #options: WorkerProcessOptions
  readonly #handlers: WorkerProcessHandlers
  #made: Ends | undefined
  #exited = false
  #killed = false
  #unreadLoans = 0
  #lastError: ReportedError | undefined

  private constructor(worker: ClusterWorker, pid: number, options: WorkerProcessOptions, handlers: WorkerProcessHandlers) {
    this.#worker = worker
    this.#options = options
    this.#handlers = handlers
    this.pid = pid
    this.id = options.id
    this.slot = options.boot.slot
    this.generation = options.boot.generation
    this.linking = new Linking({
      isConnected: () => worker.isConnected(),
      introduce: (nonce, far) => void worker.process.send({ cmd: LINK_COMMAND, nonce }, far as never, () => {}),
      onLinked: handlers.onLinked,
      onUnlinked: handlers.onUnlinked,
      onMessage: handlers.onLinkMessage,
      onViolation: handlers.onViolation,
    })
    this.diagnosis = new WorkerDiagnosis({ order: (order) => this.#ends.channel.order(order), heardAt: () => this.heardAt })
  }

  /** Made a moment after the fork, so that several workers can be forked one right after the other; nothing can have come from them by then. */
  get #ends(): Ends {
    this.#made ??= this.#attach()
    return this.#made
  }

  #attach(): Ends {
    const { boot, logs, viaCluster } = this.#options
    const handlers = this.#handlers
    const worker = this.#worker
    const child = worker.process
    guardIpc(child, { viaCluster, onViolation: handlers.onViolation })
    const channel = new WorkerChannel(child.stdio[3] as Socket, {
      onMessage: (message) => {
        if (message.type === 'fatal') this.#lastError = message.error
        // Its loop runs on: whatever ends it later, it is not that error.
        if (message.type === 'beat') this.#lastError = undefined
        handlers.onMessage(message)
      },
      onAppMessage: handlers.onAppMessage,
      onReport: (report) => this.diagnosis.take(report),
      onBytes: (seq, bytes) => this.diagnosis.takeBytes(seq, bytes),
      onViolation: handlers.onViolation,
    })
    const output = logs.attachWorker({ slot: boot.slot, pid: this.pid, generation: boot.generation }, child.stdout, child.stderr)
    // Only messages that carry a handle come this way.
    child.on('message', (message: unknown, handle: unknown) => handlers.onAppMessage(JSON.stringify(message), handle))
    child.on('error', () => {})
    worker.on('error', () => {})
    child.once('disconnect', () => {
      this.linking.disconnected()
      handlers.onDisconnected()
    })
    // Windows has no signals, and a process that was ended from outside has code 1 there.
    child.once('exit', (code, signal) => this.#onExit(isWindows && this.#killed ? { code: null, signal: 'SIGKILL' } : { code, signal }, handlers))
    return { channel, output }
  }

  /** Forks; what comes of it is told to the handlers, never before this returns. */
  static spawn(options: WorkerProcessOptions, handlers: WorkerProcessHandlers): WorkerProcess | undefined {
    let worker: ClusterWorker
    try {
      worker = forkWorker(options.launch, options.preload, options.boot)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'UNKNOWN'
      queueMicrotask(() => handlers.onSpawnFailed(code))
      return undefined
    }
    const { pid } = worker.process
    if (pid === undefined) {
      worker.on('error', (error: NodeJS.ErrnoException) => handlers.onSpawnFailed(error.code ?? 'UNKNOWN'))
      return undefined
    }
    const process = new WorkerProcess(worker, pid, options, handlers)
    queueMicrotask(() => {
      process.#made ??= process.#attach()
      handlers.onSpawned(pid)
    })
    return process
  }

  get heardAt(): number {
    return this.#ends.channel.heardAt
  }

  get output(): WorkerOutput {
    return this.#ends.output
  }

  get connected(): boolean {
    return this.#worker.isConnected()
  }

  /** It may be silent for long, and does not hang: it stands at a breakpoint, or its heap is written. */
  get isExcused(): boolean {
    return this.diagnosis.isExcused
  }

  get exited(): boolean {
    return this.#exited
  }

  /** Answers a bind with the held socket; the handle goes by IPC. */
  grant(seq: number, { key, ticketKeys, handle }: HeldSocket, acceptsHere: boolean): void {
    if (!this.#worker.isConnected()) {
      // The app called process.disconnect(): no handle can reach it any more.
      this.refuse(seq, -constants.errno.EPIPE)
      return
    }
    if (acceptsHere) {
      const name: SocketName = {}
      handle.getsockname?.(name)
      this.#ends.channel.send({ type: 'bound', seq, ok: true, key, ticketKeys, accepts: 'primary', name: name.port === undefined ? null : name })
      return
    }
    this.#ends.channel.send({ type: 'bound', seq, ok: true, key, ticketKeys, accepts: 'worker', name: null })
    // The callback takes the error of a worker that dies meanwhile.
    this.#worker.process.send({ cmd: HANDLE_COMMAND, seq }, handle as never, () => {})
  }

  /** Answers a bind with an error of the system, negative as libuv gives it. */
  refuse(seq: number, errno: number): void {
    this.#ends.channel.send({ type: 'bound', seq, ok: false, errno })
  }

  /** Has it accept from the socket of another slot, too; false when it cannot be reached. */
  lend(name: SlotSocketName, handle: RawHandle): boolean {
    if (this.#exited || !this.#worker.isConnected() || this.#unreadLoans >= UNREAD_LOANS) return false
    this.#unreadLoans += 1
    this.#worker.process.send({ cmd: SLOT_SOCKET_COMMAND, ...name }, handle as never, () => (this.#unreadLoans -= 1))
    return true
  }

  /** Has it close what was lent. By the same way, so that it comes after the loan. */
  takeBack(name: SlotSocketName): void {
    if (!this.#exited && this.#worker.isConnected()) this.#worker.process.send({ cmd: SLOT_SOCKET_COMMAND, ...name }, () => {})
  }

  /** Says from how many connections on the worker hands over. */
  limit(open: number | null, pinned: number | null): void {
    this.#ends.channel.send({ type: 'ceiling', open, pinned })
  }

  /** Says who has which slot. */
  tellSeats(seats: readonly Seat[]): void {
    this.#ends.channel.send({ type: 'seats', seats })
  }

  /** A spare has its slot from now on. */
  seat(slot: number): void {
    this.slot = slot
    this.#ends.output.seat(slot)
    this.#ends.channel.send({ type: 'seated', slot })
  }

  /** Lets it accept, if it was told to wait. */
  open(): void {
    this.#ends.channel.send({ type: 'open' })
  }

  /** A stop was asked for. */
  tellLeaving(): void {
    this.#ends.channel.send({ type: 'leaving' })
  }

  /** Asks for a report of its load, now. */
  ping(): void {
    this.#ends.channel.send({ type: 'ping' })
  }

  /** Asks for its metrics. */
  collect(seq: number): void {
    this.#ends.channel.send({ type: 'collect', seq })
  }

  drain(message: Extract<PrimaryMessage, { type: 'drain' }>): void {
    this.#worker.exitedAfterDisconnect = true
    this.linking.retire()
    this.#ends.channel.send(message)
    // A stopped process reads nothing.
    this.#signal('SIGCONT')
  }

  /** What it printed last, oldest first, harmless for a terminal. */
  get lastLines(): readonly string[] {
    return this.#ends.output.tail().slice(-LAST_LINES).map(({ text }) => (text.length > LAST_LINE_LENGTH ? `${text.slice(0, LAST_LINE_LENGTH)}…` : text))
  }

  /** False when the message is too large, the worker does not read, or it is gone. */
  sendApp(body: string): boolean {
    return !this.#exited && this.#ends.channel.sendApp(body)
  }

  /** SIGKILL to the worker and all of its process group. */
  kill(): void {
    this.#killed = !this.#exited
    this.#signal('SIGKILL')
  }

  /** The same, after Node has printed what a worker hangs in (`fork.ts`). */
  killWithStack(): void {
    this.#signal('SIGINT', this.pid)
    setTimeout(() => this.kill(), STACK_MS).unref()
  }

  #signal(signal: NodeJS.Signals, target = isWindows ? this.pid : -this.pid): void {
    if (this.#exited) return
    try {
      process.kill(target, signal)
    } catch {
      // Gone already; its exit event is on the way.
    }
  }

  #onExit(status: { readonly code: number | null; readonly signal: string | null }, handlers: WorkerProcessHandlers): void {
    // What the worker started and left behind goes with it.
    this.#signal('SIGKILL')
    this.#exited = true
    this.linking.gone()
    let told = false
    const tell = (): void => {
      if (told) return
      told = true
      clearTimeout(timer)
      this.#ends.channel.destroy()
      this.linking.close()
      this.diagnosis.gone()
      handlers.onExited(this.#lastError === undefined ? status : { ...status, error: this.#lastError })
    }
    const timer = setTimeout(tell, LAST_WORDS_MS)
    const outputTimer = setTimeout(() => this.#ends.output.destroy(), LAST_OUTPUT_MS)
    void this.#ends.output.ended.then(() => clearTimeout(outputTimer))
    // What it took it has, and what it offered is still on its way: both are read first. What it printed may say why it ended.
    this.#ends.channel.onceClosed(() => this.linking.onceClosed(() => void this.#ends.output.ended.then(tell)))
  }
}
