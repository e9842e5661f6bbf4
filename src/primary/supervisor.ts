/**
 * The shell around the core: it reports what happens, carries out what is ordered, and knows no rule
 * of its own. `createSupervisor` in `create.ts` makes one.
 */
import { EventEmitter } from 'node:events'
import { assertNever } from '../base/assert-never.ts'
import { EverycoreError } from '../base/errors.ts'
import type { Settings } from '../config/types.ts'
import { requireCount } from '../config/workers.ts'
import { initialState } from '../core/initial-state.ts'
import { snapshot, type Snapshot } from '../core/snapshot.ts'
import type { Effect, Notice, Outcome, State, WorkerId } from '../core/types.ts'
import type { WorkerLoad } from '../protocol/messages.ts'
import type { StickyRules } from '../protocol/sticky.ts'
import { readMessage, sendTo, writeMessage } from './app-messages.ts'
import { Admission } from './admission.ts'
import { AutoSize } from './auto-size.ts'
import { acceptor } from './acceptor.ts'
import { Balancing, type HandOvers } from './balancing.ts'
import type { StopOptions, SupervisorContext } from './context.ts'
import { Crew } from './crew.ts'
import { Engine } from './engine.ts'
import type { Listening, SupervisorEventName, SupervisorEvents, WorkerRef } from './events.ts'
import { HandOver } from './hand-over.ts'
import { Health } from './health.ts'
import { failureOf } from './outcome.ts'
import { relaunch } from './relaunch.ts'
import { SocketDesk } from './sockets.ts'
import { forgetEntrances, releaseSticky, stickyRules } from './sticky-rules.ts'
import type { UpgradeOptions } from './upgrade.ts'
import { Waiters } from './waiters.ts'
import { WorkerMessages } from './worker-messages.ts'
import type { WorkerProcess } from './worker-process.ts'

/** How long a slow log reader may delay the end. */
const FLUSH_MS = 1000

export class Supervisor extends EventEmitter<SupervisorEvents> {
  readonly settings: Settings
  readonly #context: SupervisorContext
  readonly #engine: Engine
  readonly #sockets: SocketDesk
  readonly #crew: Crew
  readonly #balancing: Balancing
  readonly #sticky: StickyRules | undefined
  readonly #handOver: HandOver
  readonly #waiters = new Waiters()
  readonly #health: Health
  readonly #admission: Admission
  readonly #messages: WorkerMessages
  readonly #autoSize: AutoSize
  #lingerMs: number
  #closeSpreadMs: number
  #outcome: { readonly outcome: Outcome; readonly failure: EverycoreError | undefined } | undefined

  /** @internal */
  constructor(settings: Settings, context: SupervisorContext) {
    super()
    this.settings = settings
    this.#context = context
    this.#lingerMs = settings.lingerTimeoutMs
    this.#closeSpreadMs = settings.closeSpreadMs
    const sticky = stickyRules(settings, context.stickySecret)
    this.#sticky = sticky
    this.#sockets = new SocketDesk({
      inherited: context.inherited,
      accept: acceptor(settings.balance, sticky, (origin, client) => this.#balancing.accepted(origin, client)),
      lending:
        settings.balance === 'reuseport'
          ? {
              lend: (id, name, handle) => this.#crew.get(id)?.lend(name, handle) ?? false,
              takeBack: (id, name) => this.#crew.get(id)?.takeBack(name),
            }
          : undefined,
    })
    this.#engine = new Engine(initialState(settings.core, settings.sizing.size), (effect) => this.#perform(effect))
    this.#crew = new Crew(settings, { ...context, sticky }, {
      spawned: (id, pid) => this.#engine.tell({ type: 'workerSpawned', id, pid }),
      spawnFailed: (id, code) => this.#engine.tell({ type: 'workerSpawnFailed', id, code, chance: Math.random() }),
      linked: (id) => this.#balancing.linked(id),
      unlinked: (id) => this.#balancing.unlinked(id),
      linkMessage: (id, message, handle) => this.#balancing.takeLink(id, message, handle),
      message: (id, worker, message) => this.#messages.take(id, worker, message),
      appMessage: (id, body, handle) => this.#onAppMessage(id, body, handle),
      disconnected: (id) => this.#emitFor(id, 'worker:disconnected', {}),
      violation: (id, why) => {
        this.#emitFor(id, 'worker:violated', { why })
        this.#engine.tell({ type: 'workerViolated', id })
      },
      stalled: (id, silentMs) => this.#engine.tell({ type: 'workerStalled', id, silentMs }),
      exited: (id, exit) => {
        this.#sockets.forget(id)
        this.#balancing.gone(id)
        this.#health.forget(id)
        this.#admission.forget(id)
        this.#messages.forget(id)
        forgetEntrances(this.#sticky, this.#crew.ref(id).pid)
        this.#engine.tell({ type: 'workerExited', id, exit, chance: Math.random() })
      },
    })
    this.#admission = new Admission(settings.admission, context.logs.logger)
    this.#health = new Health(settings.health, { tell: (fact) => this.#engine.tell(fact), busyOf: (id) => this.#balancing.busyOf(id) })
    this.#autoSize = new AutoSize(settings.sizing.size, {
      read: context.derivedSize,
      resize: (size) => this.#engine.tell({ type: 'scaleRequested', size }),
    })
    const ports = {
      worker: (id: WorkerId) => this.#crew.get(id),
      workers: () => this.#crew.all,
      users: (key: string) => this.#sockets.users(key),
      warn: (text: string) => context.logs.logger.warn(text),
    }
    this.#balancing = new Balancing(settings, ports, sticky?.secret)
    const emit = (name: SupervisorEventName, details: object): void => this.#safely(() => (this as EventEmitter).emit(name, details))
    this.#handOver = new HandOver({ settings, inherited: context.inherited, sockets: this.#sockets, stickySecret: sticky?.secret, engine: this.#engine, underWay: () => this.#balancing.handOvers.waiting, emit, events: this })
    this.#messages = new WorkerMessages({
      sockets: this.#sockets,
      balancing: this.#balancing,
      admission: this.#admission,
      health: this.#health,
      state: () => this.#engine.state,
      tell: (fact) => this.#engine.tell(fact),
      emit: (id, name, details) => this.#emitFor(id, name, details),
    })
  }

  /** What each worker says of its connections. A supervisor with one worker asks for no reports. */
  get loads(): readonly (WorkerRef & WorkerLoad)[] {
    return this.#balancing.loads.map(([id, load]) => ({ ...this.#crew.ref(id), ...load }))
  }

  /** What became of the connections that workers handed over, or that the supervisor accepted. */
  get handOvers(): HandOvers {
    return this.#balancing.handOvers
  }

  /** What is going on, as plain data. */
  get snapshot(): Snapshot {
    return snapshot(this.#engine.state)
  }

  /** Every place where the app listens now. A socket that waits for the successor of a crashed worker is one, a server that the app closed is not. */
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
    this.#crew.guard()
    this.#autoSize.start()
    await this.#until((state) => state.phase === 'running', 'it stopped before all workers were ready')
  }

  /**
   * Drains all workers and ends. May be called again with `force`.
   *
   * @returns when the last process is gone; never throws
   */
  async stop(options: StopOptions = {}): Promise<void> {
    if (options.lingerMs !== undefined) this.#lingerMs = options.lingerMs
    if (options.closeSpreadMs !== undefined) this.#closeSpreadMs = options.closeSpreadMs
    this.#engine.tell({ type: 'stopRequested', how: options.force === true ? 'now' : 'graceful', delayMs: options.delayMs ?? this.settings.drainDelayMs })
    await this.done
  }

  /** Fulfilled when everything has ended: with the error if the run failed, with undefined if it was stopped. */
  get done(): Promise<EverycoreError | undefined> {
    return this.#waiters.done
  }

  /**
   * Changes the number of workers. Surplus workers drain. A number stays as it is, `auto` follows the machine from then on.
   *
   * @param wanted 1 to 1024, or `auto`
   * @returns when that many are ready and the surplus is gone
   * @throws EverycoreError ERR_EVERYCORE_SETTING when the number is not allowed, ERR_EVERYCORE_STATE when the supervisor stops meanwhile, or a later call with another number replaces this one
   */
  async scale(wanted: number | 'auto'): Promise<void> {
    if (wanted !== 'auto') requireCount(wanted)
    this.#requireRunning('scale')
    const size = this.#autoSize.choose(wanted)
    this.#engine.tell({ type: 'scaleRequested', size })
    let replacedBy: number | undefined
    await this.#until((state) => {
      if (state.size !== size) replacedBy = state.size
      return replacedBy !== undefined || (state.workers.length === size && state.workers.every(({ phase }) => phase.name === 'ready'))
    }, 'it stopped while it scaled')
    if (replacedBy === undefined) return
    throw new EverycoreError('ERR_EVERYCORE_STATE', `scale(${size}) was not carried out: a later scale(${replacedBy}) replaced it`)
  }

  /**
   * Replaces every worker by a new one, each ready before its predecessor drains. Script, env files and arguments are read anew.
   *
   * @returns when all are replaced
   * @throws EverycoreError ERR_EVERYCORE_RELOAD when a new worker failed; the old ones go on serving
   */
  async reload(): Promise<void> {
    this.#requireRunning('reload')
    this.#useNewest()
    const answered = this.#waiters.nextReload()
    this.#engine.tell({ type: 'reloadRequested' })
    await answered
  }

  /**
   * Turns the reload under way back, and drops the one that waits. Their callers get ERR_EVERYCORE_RELOAD.
   *
   * @throws EverycoreError ERR_EVERYCORE_STATE when there is none
   */
  abortReload(): void {
    const { reload, reloadQueued } = this.#engine.state
    if (reload?.direction !== 'forward' && !reloadQueued) throw new EverycoreError('ERR_EVERYCORE_STATE', 'no reload is under way')
    this.#engine.tell({ type: 'reloadAbortRequested' })
  }

  /**
   * Drains all workers at once, and starts new ones when the last has gone: never do two versions run at a time, and for
   * a while nobody serves. Script, env files and arguments are read anew. Connections wait in the held sockets.
   *
   * @returns when all are ready
   * @throws EverycoreError ERR_EVERYCORE_STATE when the supervisor stops meanwhile, or a reload or another restart had to replace this one
   */
  async restart(): Promise<void> {
    this.#requireRunning('restart')
    this.#useNewest()
    const answered = this.#waiters.nextRestart()
    this.#engine.tell({ type: 'restartRequested' })
    await answered
  }

  /**
   * Starts a new supervisor that takes over the sockets of this one, and then drains this one. Both serve meanwhile; no
   * connection is refused. When the new one does not come up, this one goes on as if nothing had been.
   *
   * @returns when the new one has taken over; `done` tells when this one has ended
   * @throws EverycoreError ERR_EVERYCORE_UPGRADE when it failed, ERR_EVERYCORE_STATE when the supervisor is not running, reloads, or is upgraded already, ERR_EVERYCORE_PLATFORM where sockets cannot be inherited
   */
  async upgrade(options: UpgradeOptions = {}): Promise<void> {
    this.#requireRunning('upgrade')
    await this.#handOver.run(options)
  }

  /**
   * Sends a message to the app in the worker of a slot, where `process.on('message')` gets it.
   *
   * @param message anything that JSON can hold, up to 1 MiB
   * @throws EverycoreError ERR_EVERYCORE_MESSAGE when there is no such worker, when it does not read, or when the message is too large
   */
  send(slot: number, message: unknown): void {
    sendTo(slot, this.#serving().find((worker) => worker.slot === slot), message)
  }

  /** Sends a message to every worker that serves. Returns how many took it. @throws EverycoreError ERR_EVERYCORE_MESSAGE when JSON cannot hold it */
  broadcast(message: unknown): number {
    const body = writeMessage(message)
    return this.#serving().filter((worker) => worker.sendApp(body)).length
  }

  /** What is started from now on. @throws EverycoreError with all that is wrong with it */
  #useNewest(): void {
    this.#crew.use(relaunch(this.#context.relaunch, this.#context.logs.logger, (why) => this.#safely(() => this.emit('reload:refused', { why }))))
  }

  /** Workers that are ready, by slot. */
  #serving(): readonly WorkerProcess[] {
    const ready = this.#engine.state.workers.filter(({ phase }) => phase.name === 'ready')
    return ready.flatMap(({ id }) => this.#crew.get(id) ?? [])
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
        this.#crew.spawn(effect.id, effect.slot, effect.generation, this.#engine.state.generation)
        if (this.#engine.state.stopDue !== undefined) this.#crew.get(effect.id)?.tellLeaving()
        return
      case 'seatWorker':
        this.#crew.seat(effect.id, effect.slot)
        this.#messages.seated(effect.id)
        return
      case 'drainWorker':
        this.#drain(effect)
        return
      case 'killWorker':
        this.#crew.kill(effect.id, effect.reason)
        return
      case 'releaseSockets':
        this.#sockets.release()
        return
      case 'releaseUnusedSockets':
        this.#sockets.releaseUnused()
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

  #drain({ id, timeoutMs, reason }: Extract<Effect, { type: 'drainWorker' }>): void {
    this.#sockets.forget(id)
    this.#balancing.leave(id)
    // Only a stop is in a hurry: while others serve, a promise to a client costs nothing. After an upgrade others do.
    this.#crew.drain(id, { timeoutMs, reason, lingerMs: reason === 'stop' && !this.#handOver.isDone ? this.#lingerMs : null, closeSpreadMs: this.#closeSpreadMs })
  }

  #onAppMessage(id: WorkerId, body: string, handle: unknown): void {
    if (this.listenerCount('worker:message') === 0) {
      ;(handle as { readonly close?: () => void } | undefined)?.close?.()
      return
    }
    const read = readMessage(body)
    if (read !== undefined) this.#safely(() => this.emit('worker:message', read.message, this.#crew.ref(id), handle))
  }

  #announce(notice: Notice): void {
    // The types of both sides are made from the same union; TypeScript cannot follow that through emit.
    if (notice.type === 'primary:stopping' && notice.inMs > 0) for (const worker of this.#crew.all) worker.tellLeaving()
    const whole = 'id' in notice && notice.type !== 'worker:spawn-failed' ? { ...this.#crew.ref(notice.id), ...notice } : notice
    this.#safely(() => (this as EventEmitter).emit(notice.type, whole))
    this.#waiters.check(this.#engine.state, notice)
  }

  #emitFor(id: WorkerId, name: SupervisorEventName, details: object): void {
    this.#safely(() => (this as EventEmitter).emit(name, { ...this.#crew.ref(id), ...details }))
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
    this.#autoSize.stop()
    this.#crew.dismiss()
    this.#balancing.release()
    const { launch, core, waitReady } = this.settings
    const failure = await failureOf(outcome, {
      script: launch.script,
      readyTimeoutMs: core.readyTimeoutMs,
      waitReady,
      listenFailure: this.#messages.listenFailure,
      listened: this.#sockets.listened,
    })
    this.#sockets.release()
    releaseSticky(this.#sticky)
    // The last words of a worker are printed before the end is told.
    await this.#crew.lastOutput
    await this.#context.logs.flush(FLUSH_MS)
    this.#outcome = { outcome, failure }
    this.#waiters.end(failure)
  }
}
