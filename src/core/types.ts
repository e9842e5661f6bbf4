/**
 * The vocabulary of the supervisor's logic: what it knows (State), what it is told (Event, past
 * tense) and what it orders (Effect, imperative). Plain data, no clock, no I/O.
 */

/** Identifies one worker process for the life of the supervisor; never reused. */
export type WorkerId = number

/** A stable seat, 0 to size-1. */
export type SlotIndex = number

/** Where a spare worker is, which has no seat yet. */
export const NO_SLOT = -1

/** Everything the rules need to know that an operator may set. Durations in milliseconds. */
export interface CoreSettings {
  /** Boot to ready; 0 means no limit. */
  readonly readyTimeoutMs: number
  /** Drain to exit; then SIGKILL. */
  readonly drainTimeoutMs: number
  /** How many workers may boot at the same time, at least 1. */
  readonly bootParallel: number
  /** A worker that was ready for this long is healthy: its exit clears the slot's failures. */
  readonly stableMs: number
  /** A replacement must stay ready for this long before its predecessor is drained. */
  readonly provenMs: number
  /** The first worker of a reload must stay ready for this long, if it is more. */
  readonly canaryMs: number
  /** How many workers above the size a reload may have. */
  readonly surge: Surge
  /** A reload begins when fewer generations than this drain, at least 1. */
  readonly maxDraining: number
  /** How many booted workers wait for a slot to become empty. */
  readonly spares: number
  /** Consecutive failures of a slot before it counts as hopeless. */
  readonly maxFailures: number
  /** Back-off before boot number n+1 of a failing slot: base x factor^(n-2), at most cap; the first respawn is immediate. */
  readonly backoff: { readonly baseMs: number; readonly factor: number; readonly capMs: number; readonly jitter: number }
}

/** A number of workers, or a part of the size; at least 1 and at most the size. */
export type Surge = { readonly count: number } | { readonly percent: number }

/** Why a worker is drained or killed. A reason is a field and never a state. */
export type RetireReason = 'stop' | 'scale' | 'restart' | 'reload' | 'rollback' | 'request' | 'recycle'
export type KillReason = 'ready-timeout' | 'drain-timeout' | 'stop-now' | 'reload-aborted' | 'violation' | 'stalled' | 'memory'

/** Which limit a healthy worker has reached. */
export type RecycleReason = 'memory' | 'heap' | 'requests' | 'lifetime'

export type WorkerPhase =
  /** Started, not ready. `deadline` is undefined when there is no limit. */
  | { readonly name: 'booting'; readonly deadline: number | undefined }
  /** Has booted up to its first listen() and waits for a slot. */
  | { readonly name: 'spare' }
  /** `proven`: has stayed ready for `provenMs`. */
  | { readonly name: 'ready'; readonly since: number; readonly proven: boolean }
  /** `accepts`: it has not said yet that it takes no more connections. */
  | { readonly name: 'draining'; readonly deadline: number; readonly reason: RetireReason; readonly accepts: boolean }
  /** SIGKILL was sent; only the exit is awaited. `counts`: it had not been asked to leave, so its end is a failure of the slot. `was`: what the signal found, unless the worker was quicker. */
  | { readonly name: 'killed'; readonly since: number; readonly reason: KillReason; readonly counts: boolean; readonly was: 'booting' | 'spare' | 'ready' | 'draining' }

export interface Worker {
  readonly id: WorkerId
  readonly slot: SlotIndex
  readonly generation: number
  /** Undefined until the process exists. */
  readonly pid: number | undefined
  readonly spawnedAt: number
  readonly readyAt: number | undefined
  readonly phase: WorkerPhase
  /** Recorded by a fact, carried out by a rule in the same step. */
  readonly due: 'retire' | 'violation' | 'stalled' | 'memory' | undefined
  /** It has reached a limit and is to be replaced, start first; undefined while it is as good as new. */
  readonly worn: RecycleReason | undefined
}

/** How a worker ended, as the process table and the worker's own last report tell it. */
export interface ExitReport {
  readonly code: number | null
  readonly signal: string | null
  /** The error that ended it, when the worker could still report one. */
  readonly error?: ReportedError
}

/** An error that crossed the process boundary. */
export interface ReportedError {
  readonly name: string
  readonly message: string
  readonly stack: string
  readonly code?: string
  readonly syscall?: string
  readonly address?: string
  readonly port?: number
  /** True when the main module had not finished evaluating; undefined where Node does not tell (ES modules). */
  readonly loading?: boolean
}

/** Why a worker that nobody had asked to leave was lost. */
export type FailureCause = 'boot-failure' | 'ready-timeout' | 'crash' | 'spawn-failed'

/** The loss of a worker that nobody had asked to leave. */
export interface Failure {
  readonly why: FailureCause
  /** Undefined when no process came about, or when the worker took its leave before it was ready. */
  readonly exit: ExitReport | undefined
}

/** What the exit meant for the service. */
export type ExitKind =
  /** Ended before it was ready. */
  | 'boot-failure'
  /** Ended by itself after it had been ready. */
  | 'crash'
  /** Ended because it was told to. */
  | 'retired'
  /** Was ended by our SIGKILL; not who had ended by itself before the signal came. */
  | 'killed'

export interface Slot {
  readonly index: SlotIndex
  /** Consecutive failures; 0 after a stable life. */
  readonly failures: number
  /** The worker that it lost last had failed, and not left by its own wish. */
  readonly failed: boolean
  /** Not before this time may the slot boot again. */
  readonly respawnAt: number
  /** Workers lost in this slot since start that nobody had asked to leave. */
  readonly restarts: number
}

export type SupervisorPhase =
  | 'idle'
  /** Never yet all ready. */
  | 'starting'
  | 'running'
  /** At least one slot is without a ready worker because the last one that it lost had failed. */
  | 'degraded'
  | 'stopping'
  | 'stopped'

export interface Reload {
  readonly from: number
  readonly to: number
  readonly startedAt: number
  /** 'back' restores the old generation after a failure. */
  readonly direction: 'forward' | 'back'
  readonly failure: ReloadFailure | undefined
  /** A worker of `to` has been proven: from here on empty slots boot `to`. */
  readonly proven: boolean
  /** Workers of `to` that were lost after they had been proven. */
  readonly crashes: number
}

/** All workers leave, and when the last has gone new ones boot. */
export interface Restart {
  /** The generation that is to serve. */
  readonly to: number
  readonly startedAt: number
}

export interface ReloadFailure {
  /** Where it failed; 0 when `why` is 'stopped' or 'cancelled'. */
  readonly slot: SlotIndex
  readonly why: 'boot-failure' | 'ready-timeout' | 'died-young' | 'spawn-failed' | 'unfit' | 'cancelled' | 'stopped'
  readonly exit: ExitReport | undefined
  /** What makes it unfit. */
  readonly said?: string
}

/** How it all ended. The shell turns it into an exit code and a message. */
export type Outcome =
  | { readonly name: 'stopped' }
  | { readonly name: 'stopped-now' }
  /** No worker could be kept. `everReady` tells a bad start from a later collapse. */
  | { readonly name: 'failed'; readonly everReady: boolean; readonly last: ExitReport | undefined; readonly why: FailureCause }

export interface State {
  readonly settings: CoreSettings
  readonly phase: SupervisorPhase
  readonly size: number
  /** When start was asked for. */
  readonly startedAt: number | undefined
  /** Generation that new workers belong to outside a reload. */
  readonly generation: number
  /** Highest generation ever given out. */
  readonly lastGeneration: number
  readonly nextWorkerId: WorkerId
  /** At least `size` of them; those from `size` on take no new worker. */
  readonly slots: readonly Slot[]
  /** Every process that may still exist, in order of spawn. */
  readonly workers: readonly Worker[]
  readonly reload: Reload | undefined
  /** A reload that was asked for and has not begun: at most one, however often it was asked for. */
  readonly reloadQueued: boolean
  /** Under way; undefined outside. */
  readonly restart: Restart | undefined
  /** A restart that was asked for and has not begun. */
  readonly restartQueued: boolean
  /** A worker went, or was told to, since unused sockets were last given up: there may be some that nobody will use again. */
  readonly socketsInDoubt: boolean
  /** Consecutive failures of spare workers, and when the next may boot. */
  readonly spare: { readonly failures: number; readonly respawnAt: number }
  /** Some worker has been ready in this run. */
  readonly everReady: boolean
  /** All slots have been ready at once in this run. */
  readonly everRunning: boolean
  /** Some worker ended in this run before it was ready. */
  readonly bootFailed: boolean
  readonly lastFailure: Failure | undefined
  readonly stop: { readonly how: 'graceful' | 'now'; readonly outcome: Outcome } | undefined
  /** A stop was asked for and begins at this time; until then all goes on. Undefined once `stop` is set. */
  readonly stopDue: { readonly at: number } | undefined
}

/** Facts. `at` is monotonic milliseconds. */
export type Event =
  | { readonly type: 'startRequested'; readonly at: number }
  | { readonly type: 'workerSpawned'; readonly at: number; readonly id: WorkerId; readonly pid: number }
  /** fork(2) failed: EAGAIN, EMFILE, ENOMEM. `chance` in [0,1) feeds the jitter. */
  | { readonly type: 'workerSpawnFailed'; readonly at: number; readonly id: WorkerId; readonly code: string; readonly chance: number }
  /** A spare has come to its first listen(), or has said that it is ready. */
  | { readonly type: 'workerWaits'; readonly at: number; readonly id: WorkerId }
  | { readonly type: 'workerReady'; readonly at: number; readonly id: WorkerId }
  | { readonly type: 'workerExited'; readonly at: number; readonly id: WorkerId; readonly exit: ExitReport; readonly chance: number }
  /** The worker asked to leave (cluster.worker.disconnect(), an operator): drain and replace. */
  | { readonly type: 'workerRetireRequested'; readonly at: number; readonly id: WorkerId }
  /** A worker that drains takes no more connections. */
  | { readonly type: 'workerClosed'; readonly at: number; readonly id: WorkerId }
  /** The worker broke the protocol. */
  | { readonly type: 'workerViolated'; readonly at: number; readonly id: WorkerId }
  /** Its event loop has not turned for `silentMs`. */
  | { readonly type: 'workerStalled'; readonly at: number; readonly id: WorkerId; readonly silentMs: number }
  /** It has reached a limit that asks for a replacement. `value`: bytes, part of the heap, requests, or ms. */
  | { readonly type: 'workerWorn'; readonly at: number; readonly id: WorkerId; readonly why: RecycleReason; readonly value: number }
  /** It has so much memory that the machine cannot wait for a replacement. */
  | { readonly type: 'workerOverweight'; readonly at: number; readonly id: WorkerId }
  /** The first worker of a reload does its work worse than the old ones. */
  | { readonly type: 'workerUnfit'; readonly at: number; readonly id: WorkerId; readonly said: string }
  | { readonly type: 'scaleRequested'; readonly at: number; readonly size: number }
  | { readonly type: 'reloadRequested'; readonly at: number }
  /** Somebody does not want the reload any more that is under way, nor the one that waits. */
  | { readonly type: 'reloadAbortRequested'; readonly at: number }
  /** All workers at once, with a gap. */
  | { readonly type: 'restartRequested'; readonly at: number }
  /** `delayMs`: how long all goes on, for whoever has to be told first; 0 when left out, and for `now`. */
  | { readonly type: 'stopRequested'; readonly at: number; readonly how: 'graceful' | 'now'; readonly delayMs?: number }
  | { readonly type: 'timePassed'; readonly at: number }

/** Orders to the shell. */
export type Effect =
  /** `slot` may be {@link NO_SLOT}. */
  | { readonly type: 'spawnWorker'; readonly id: WorkerId; readonly slot: SlotIndex; readonly generation: number }
  /** Gives a slot to a spare, which goes on with its boot. */
  | { readonly type: 'seatWorker'; readonly id: WorkerId; readonly slot: SlotIndex }
  | { readonly type: 'drainWorker'; readonly id: WorkerId; readonly timeoutMs: number; readonly reason: RetireReason }
  /** SIGKILL of the whole process group. */
  | { readonly type: 'killWorker'; readonly id: WorkerId; readonly reason: KillReason }
  /** No new connection from here on: the held sockets are given up. */
  | { readonly type: 'releaseSockets' }
  /** Gives up the held sockets that no worker uses: none is bound to come back for them. */
  | { readonly type: 'releaseUnusedSockets' }
  | { readonly type: 'announce'; readonly notice: Notice }
  /** Everything has ended. */
  | { readonly type: 'finish'; readonly outcome: Outcome }

/** What the outside is told. The names are those of the public events. */
export type Notice =
  | { readonly type: 'primary:started'; readonly size: number; readonly tookMs: number }
  | { readonly type: 'primary:phase'; readonly phase: SupervisorPhase }
  /** `inMs`: when workers begin to drain, in ms from now. */
  | { readonly type: 'primary:stopping'; readonly how: 'graceful' | 'now'; readonly outcome: Outcome; readonly inMs: number }
  | { readonly type: 'primary:stopped'; readonly outcome: Outcome }
  | { readonly type: 'worker:spawned'; readonly id: WorkerId; readonly slot: SlotIndex; readonly generation: number; readonly pid: number }
  | { readonly type: 'worker:ready'; readonly id: WorkerId; readonly slot: SlotIndex; readonly generation: number; readonly bootMs: number }
  /** Its event loop has stood still for the hang timeout; it is killed. */
  | { readonly type: 'worker:stalled'; readonly id: WorkerId; readonly slot: SlotIndex; readonly silentMs: number }
  /** It has reached a limit, and serves until its replacement is ready. `value`: bytes, part of the heap's limit, requests, or ms. */
  | { readonly type: 'worker:worn'; readonly id: WorkerId; readonly slot: SlotIndex; readonly why: RecycleReason; readonly value: number }
  | { readonly type: 'worker:draining'; readonly id: WorkerId; readonly slot: SlotIndex; readonly reason: RetireReason }
  | {
      readonly type: 'worker:exited'
      readonly id: WorkerId
      readonly slot: SlotIndex
      readonly generation: number
      readonly kind: ExitKind
      /** Why it was killed; of kind 'killed' only. */
      readonly killReason: KillReason | undefined
      readonly exit: ExitReport
      readonly uptimeMs: number
      /** When the slot boots again, in ms from now; undefined when it does not. */
      readonly respawnInMs: number | undefined
    }
  | { readonly type: 'worker:spawn-failed'; readonly id: WorkerId; readonly slot: SlotIndex; readonly generation: number; readonly code: string; readonly respawnInMs: number }
  | { readonly type: 'reload:started'; readonly from: number; readonly to: number }
  | { readonly type: 'reload:finished'; readonly generation: number; readonly tookMs: number }
  | { readonly type: 'reload:aborted'; readonly generation: number; readonly failure: ReloadFailure }
  | { readonly type: 'restart:started'; readonly from: number; readonly to: number }
  /** All slots are served again. */
  | { readonly type: 'restart:finished'; readonly generation: number; readonly tookMs: number }
  | { readonly type: 'scale:changed'; readonly from: number; readonly to: number }

/** The whole interface of the core. */
export interface Step {
  readonly state: State
  readonly effects: readonly Effect[]
}
