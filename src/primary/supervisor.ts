/**
 * The shell around the core: it reports what happens, carries out what is ordered, and knows no rule
 * of its own. `createSupervisor` in `create.ts` makes one.
 */
import { EventEmitter } from 'node:events'
import { join, relative } from 'node:path'
import { assertNever } from '../base/assert-never.ts'
import { EverycoreError } from '../base/errors.ts'
import type { Settings } from '../config/types.ts'
import { initialState } from '../core/initial-state.ts'
import { snapshot, type Snapshot } from '../core/snapshot.ts'
import type { Effect, ExitReport, Notice, Outcome, RetireReason, State, WorkerId } from '../core/types.ts'
import type { Logs } from '../logs/logs.ts'
import type { WorkerMessage } from '../protocol/messages.ts'
import { Engine } from './engine.ts'
import type { Listening, SupervisorEventName, SupervisorEvents, WorkerRef } from './events.ts'
import { Generations } from './generations.ts'
import { Guardian } from './guardian.ts'
import { failureOf } from './outcome.ts'
import { SocketDesk } from './sockets.ts'
import { keepVigil } from './vigil.ts'
import { Waiters } from './waiters.ts'
import { WorkerProcess } from './worker-process.ts'

/** What may differ between runs besides the settings. */
export interface SupervisorContext {
  readonly logs: Logs
  /** Descriptors that `listen({ fd })` of the app may name. */
  readonly inherited: ReadonlySet<number>
  /** Leave the sockets to node:cluster. */
  readonly viaCluster: boolean
}

export interface StopOptions {
  /** Kill at once instead of draining. */
  readonly force?: boolean
  /** How long idle keep-alive connections may stay, in ms. Default: the setting. */
  readonly lingerMs?: number
}

/** How long a slow log reader may delay the end. */
const FLUSH_MS = 1000
/** Beside the bundle that this file ends up in. */
const PRELOAD = join(import.meta.dirname, 'worker/preload.cjs')

export class Supervisor extends EventEmitter<SupervisorEvents> {
  readonly settings: Settings
  readonly #context: SupervisorContext
  readonly #engine: Engine
  readonly #sockets: SocketDesk
  readonly #workers = new Map<WorkerId, WorkerProcess>()
  readonly #waiters = new Waiters()
  readonly #generations: Generations
  #guardian: Guardian | undefined
  #endVigil: (() => void) | undefined
  #lingerMs: number
  /** The last words of a worker are printed before the end is told. */
  #lastOutput: Promise<void> | undefined
  #listenFailure: SupervisorEvents['worker:listen-failed'][0] | undefined
  #outcome: { readonly outcome: Outcome; readonly failure: EverycoreError | undefined } | undefined

  /** @internal */
  constructor(settings: Settings, context: SupervisorContext) {
    super()
    this.settings = settings
    this.#context = context
    this.#generations = new Generations(settings.launch)
    this.#lingerMs = settings.lingerTimeoutMs
    this.#sockets = new SocketDesk(context.inherited)
    this.#engine = new Engine(initialState(settings.core, settings.sizing.size), (effect) => this.#perform(effect))
  }

  /** What is going on, as plain data. */
  get snapshot(): Snapshot {
    return snapshot(this.#engine.state)
  }

  /** Every place where the app listens or listened. */
  get addresses(): readonly Listening[] {
    return this.#sockets.addresses
  }

  /**
   * Starts the workers.
   *
   * @returns when all of them were ready at the same time for the first time
   * @throws EverycoreError ERR_EVERYCORE_NEVER_READY or ERR_EVERYCORE_LOAD when none can be kept, ERR_EVERYCORE_STATE when it was started before
   */
  async start(): Promise<void> {
    if (this.#engine.state.phase !== 'idle') throw new EverycoreError('ERR_EVERYCORE_STATE', 'the supervisor was started before', { hint: 'create a new one' })
    this.#engine.tell({ type: 'startRequested' })
    // After the forks, which take the longest; that they have pids is told to it in a later turn.
    this.#guardian = new Guardian(this.settings.core.drainTimeoutMs)
    this.#endVigil = keepVigil(() => this.#workers.values(), this.#guardian)
    await this.#until((state) => state.phase === 'running', 'it stopped before all workers were ready')
  }

  /**
   * Drains all workers and ends. May be called again with `force`.
   *
   * @returns when the last process is gone; never throws
   */
  async stop(options: StopOptions = {}): Promise<void> {
    if (options.lingerMs !== undefined) this.#lingerMs = options.lingerMs
    this.#engine.tell({ type: 'stopRequested', how: options.force === true ? 'now' : 'graceful' })
    await this.done
  }

  /** Fulfilled when everything has ended: with the error if the run failed, with undefined if it was stopped. */
  get done(): Promise<EverycoreError | undefined> {
    return this.#waiters.done
  }

  /**
   * Changes the number of workers. Surplus workers drain.
   *
   * @param size 1 to 1024
   * @returns when that many are ready and the surplus is gone
   * @throws EverycoreError ERR_EVERYCORE_SETTING when the number is not allowed, ERR_EVERYCORE_STATE when the supervisor stops meanwhile
   */
  async scale(size: number): Promise<void> {
    if (!Number.isInteger(size) || size < 1 || size > 1024) {
      throw new EverycoreError('ERR_EVERYCORE_SETTING', `${size} is not a number of workers`, { hint: 'give a whole number from 1 to 1024' })
    }
    this.#requireRunning('scale')
    this.#engine.tell({ type: 'scaleRequested', size })
    await this.#until((state) => state.size !== size || (state.workers.length === size && state.workers.every(({ phase }) => phase.name === 'ready')), 'it stopped while it scaled')
  }

  /**
   * Replaces every worker by a new one, each ready before its predecessor drains.
   *
   * @returns when all are replaced
   * @throws EverycoreError ERR_EVERYCORE_RELOAD when a new worker failed; the old ones go on serving
   */
  async reload(): Promise<void> {
    this.#requireRunning('reload')
    const answered = this.#waiters.nextReload()
    this.#engine.tell({ type: 'reloadRequested' })
    await answered
  }

  /**
   * Sends a message to the app in the worker of a slot, where `process.on('message')` gets it.
   *
   * @param message anything that JSON can hold, up to 1 MiB
   * @throws EverycoreError ERR_EVERYCORE_MESSAGE when there is no such worker, when it does not read, or when the message is too large
   */
  send(slot: number, message: unknown): void {
    const worker = this.#serving().find((candidate) => candidate.slot === slot)
    if (worker === undefined) throw new EverycoreError('ERR_EVERYCORE_MESSAGE', `no worker serves in slot ${slot}`, { hint: 'listen for worker:ready before sending' })
    if (!worker.sendApp(toBody(message))) {
      throw new EverycoreError('ERR_EVERYCORE_MESSAGE', `the message to slot ${slot} could not be queued`, { why: 'it is larger than 1 MiB, or the worker does not read its messages' })
    }
  }

  /** Sends a message to every worker that serves. Returns how many took it. @throws EverycoreError ERR_EVERYCORE_MESSAGE when JSON cannot hold it */
  broadcast(message: unknown): number {
    const body = toBody(message)
    return this.#serving().filter((worker) => worker.sendApp(body)).length
  }

  /** Workers that are ready, by slot. */
  #serving(): readonly WorkerProcess[] {
    const { workers } = this.#engine.state
    const ready = workers.filter(({ phase }) => phase.name === 'ready')
    return ready.flatMap(({ id }) => this.#workers.get(id) ?? [])
  }

  #requireRunning(what: string): void {
    const { phase } = this.#engine.state
    if (phase === 'running' || phase === 'degraded' || phase === 'starting') return
    throw new EverycoreError('ERR_EVERYCORE_STATE', `cannot ${what}: the supervisor is ${phase}`)
  }

  async #until(reached: (state: State) => boolean, otherwise: string): Promise<void> {
    const ended = await this.#waiters.until(this.#engine.state, reached)
    if (!ended) return
    throw this.#outcome?.failure ?? new EverycoreError('ERR_EVERYCORE_STATE', otherwise)
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'spawnWorker':
        this.#spawn(effect.id, effect.slot, effect.generation)
        return
      case 'drainWorker':
        this.#drain(effect.id, effect.timeoutMs, effect.reason)
        return
      case 'killWorker':
        this.#workers.get(effect.id)?.kill()
        return
      case 'releaseSockets':
        this.#sockets.release()
        return
      case 'announce':
        this.#announce(effect.notice)
        return
      case 'finish':
        void this.#finish(effect.outcome)
        return
      default:
        assertNever(effect)
    }
  }

  #spawn(id: WorkerId, slot: number, generation: number): void {
    const { core, killSignal, waitReady, compileCacheDir } = this.settings
    const launch = this.#generations.launchOf(generation)
    this.#generations.keepFrom(this.#engine.state.generation)
    const boot = { primaryPid: process.pid, script: this.settings.launch.script, slot, generation, drainTimeoutMs: core.drainTimeoutMs, lingerMs: this.settings.lingerTimeoutMs, killSignal, waitReady, compileCacheDir: compileCacheDir ?? null, viaCluster: this.#context.viaCluster }
    const worker = WorkerProcess.spawn(
      { launch, preload: PRELOAD, boot, logs: this.#context.logs, viaCluster: this.#context.viaCluster },
      {
        onSpawned: (pid) => {
          this.#guardian?.watch(pid)
          this.#engine.tell({ type: 'workerSpawned', id, pid })
        },
        onSpawnFailed: (code) => this.#engine.tell({ type: 'workerSpawnFailed', id, code, chance: Math.random() }),
        onMessage: (message) => this.#onMessage(id, message),
        onAppMessage: (body, handle) => this.#onAppMessage(id, body, handle),
        onDisconnected: () => this.#emitFor(id, 'worker:disconnected', {}),
        onViolation: (why) => {
          this.#emitFor(id, 'worker:violated', { why })
          this.#engine.tell({ type: 'workerViolated', id })
        },
        onExited: (exit) => this.#onExited(id, exit),
      },
    )
    if (worker !== undefined) this.#workers.set(id, worker)
  }

  #drain(id: WorkerId, timeoutMs: number, reason: RetireReason): void {
    // Only a stop is in a hurry: while others serve, a promise to a client costs nothing.
    const lingerMs = reason === 'stop' ? this.#lingerMs : null
    this.#workers.get(id)?.drain({ type: 'drain', timeoutMs, lingerMs, reason })
  }

  #onMessage(id: WorkerId, message: WorkerMessage): void {
    const worker = this.#workers.get(id)
    if (worker === undefined) return
    switch (message.type) {
      case 'bind':
        void this.#sockets.bind(id, worker, message)
        return
      case 'listening':
        this.#emitFor(id, 'worker:listening', this.#sockets.listening(message))
        return
      case 'listenFailed': {
        const { code, address, port } = message
        this.#listenFailure = { ...this.#ref(id), code, address, port }
        this.#emitFor(id, 'worker:listen-failed', { code, address, port })
        return
      }
      case 'closed':
        this.#sockets.closed(id, message.key)
        return
      case 'ready':
        this.#engine.tell({ type: 'workerReady', id })
        return
      case 'leave':
        this.#engine.tell({ type: 'workerRetireRequested', id })
        return
      case 'fatal':
        this.#emitFor(id, 'worker:error', { error: message.error })
        return
      case 'beat':
        return
      default:
        assertNever(message)
    }
  }

  #onAppMessage(id: WorkerId, body: string, handle: unknown): void {
    if (this.listenerCount('worker:message') === 0) {
      ;(handle as { readonly close?: () => void } | undefined)?.close?.()
      return
    }
    let message: unknown
    try {
      message = JSON.parse(body)
    } catch {
      return
    }
    this.#safely(() => this.emit('worker:message', message, this.#ref(id), handle))
  }

  #onExited(id: WorkerId, exit: ExitReport): void {
    const worker = this.#workers.get(id)
    if (worker !== undefined) this.#guardian?.forget(worker.pid)
    this.#sockets.forget(id)
    this.#lastOutput = worker?.output.ended
    this.#engine.tell({ type: 'workerExited', id, exit, chance: Math.random() })
    this.#workers.delete(id)
  }

  #announce(notice: Notice): void {
    // The types of both sides are made from the same union; TypeScript cannot follow that through emit.
    const whole = 'id' in notice ? { ...this.#ref(notice.id), ...notice } : notice
    this.#safely(() => (this as EventEmitter).emit(notice.type, whole))
    this.#waiters.check(this.#engine.state, notice)
  }

  #ref(id: WorkerId): WorkerRef {
    const worker = this.#workers.get(id)
    return { id, slot: worker?.slot ?? -1, pid: worker?.pid ?? -1, generation: worker?.generation ?? -1 }
  }

  #emitFor(id: WorkerId, name: SupervisorEventName, details: object): void {
    this.#safely(() => (this as EventEmitter).emit(name, { ...this.#ref(id), ...details }))
  }

  /** A listener that throws is the listener's defect; supervision goes on. */
  #safely(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#context.logs.logger.error(`a listener of the supervisor threw: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    }
  }

  async #finish(outcome: Outcome): Promise<void> {
    this.#engine.end()
    this.#endVigil?.()
    this.#guardian?.end()
    const { launch, core, waitReady } = this.settings
    const failure = await failureOf(outcome, {
      script: asTyped(launch.script),
      readyTimeoutMs: core.readyTimeoutMs,
      waitReady,
      listenFailure: this.#listenFailure,
      listened: this.#sockets.addresses.length > 0,
    })
    this.#sockets.release()
    await this.#lastOutput
    await this.#context.logs.flush(FLUSH_MS)
    this.#outcome = { outcome, failure }
    this.#waiters.end(failure)
  }
}

/** A path as a person would write it. */
function asTyped(path: string): string {
  const short = relative(process.cwd(), path)
  return short === '' || short.startsWith('..') ? path : short
}

function toBody(message: unknown): string {
  let body: string | undefined
  try {
    body = JSON.stringify(message)
  } catch (cause) {
    throw new EverycoreError('ERR_EVERYCORE_MESSAGE', 'the message cannot be written as JSON', { cause })
  }
  if (body === undefined) throw new EverycoreError('ERR_EVERYCORE_MESSAGE', 'the message cannot be written as JSON', { why: `it is of type ${typeof message}` })
  return body
}
