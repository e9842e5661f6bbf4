/**
 * What crosses the control socket: the answers of a supervisor to the command, the terminal view, the dashboard and
 * whoever else asks. Bytes and milliseconds are numbers, times ISO 8601, a figure that is not known is null.
 */
import type { RecycleReason, RetireReason, KillReason, SupervisorPhase, WorkerPhase } from '../core/types.ts'
import type { ProfileKind } from './diagnosis.ts'
import type { ServerKind } from './messages.ts'

/** Version of everything below; changed when a field goes or changes its meaning, not when one comes. */
export const CONTROL_SCHEMA = 1

/** What a worker is doing. `stalled`: it hangs and is being killed. `back-off`: the slot is empty and waits to boot again; `missing`: it is empty and is about to. */
export type WorkerState = WorkerPhase['name'] | 'stalled' | 'back-off' | 'missing'

/** How the last worker of a slot ended that nobody had asked to leave. */
export interface LastExit {
  /** `crash`, `boot-failure`, or why it was killed. */
  readonly reason: 'crash' | 'boot-failure' | KillReason
  /** `exit code 1`, or the signal. */
  readonly how: string
  readonly at: string
}

/** Figures of one worker, over about the last second. Null: not known, which is never the same as 0. */
export interface WorkerFigures {
  /** Cores in use: 1 is one whole core; threads may take more. */
  readonly cpu: number | null
  readonly rssBytes: number | null
  readonly heapUsedBytes: number | null
  /** Part of its time that the event loop was busy, 0 to 1. */
  readonly loopUtilization: number | null
  /** 99 of 100 turns of the event loop were late by less. */
  readonly loopLagP99Ms: number | null
  readonly requestsPerSecond: number | null
  /** Half of the requests took less, over the last few seconds. */
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  /** Requests that have begun and not ended. */
  readonly inFlight: number | null
  /** Open connections. */
  readonly connections: number | null
}

/** One worker, or one slot that has none. */
export interface WorkerStatus extends WorkerFigures {
  /** Null: a spare, which has none yet. */
  readonly slot: number | null
  readonly pid: number | null
  readonly state: WorkerState
  /** Why it drains, or is killed, or is about to be replaced. */
  readonly reason: RetireReason | KillReason | RecycleReason | null
  readonly generation: number
  readonly uptimeMs: number | null
  /** Workers lost in this slot since start that nobody had asked to leave. */
  readonly restarts: number
  readonly lastExit: LastExit | null
  /** When an empty slot boots again, in ms from now. */
  readonly respawnInMs: number | null
  /** How it is looked into now; left out: it is not. */
  readonly diagnosis?: Diagnosing
}

/** `inspect`: its inspector is open, and nobody notices that it hangs, since it may stand at a breakpoint. Else the profile that is taken of it. */
export type Diagnosing = 'inspect' | ProfileKind

/** Where one slot stands in a reload. */
export type ReloadStep = 'old' | 'booting' | 'ready' | 'draining' | 'done'

export interface ReloadSlot {
  readonly slot: number
  readonly step: ReloadStep
  /** Requests that the old worker still has; null when not known, or when it has left. */
  readonly inFlight: number | null
}

export interface ReloadStatus {
  /** `turning-back`: it has failed or was aborted, and the old generation takes over again. */
  readonly state: 'rolling' | 'turning-back'
  readonly from: number
  readonly to: number
  readonly slots: readonly ReloadSlot[]
}

/** Where a server of the app listens. */
export interface AddressStatus {
  readonly kind: ServerKind
  /** A path for a unix socket, whose port is null. */
  readonly address: string
  readonly port: number | null
}

/** GET /v1/status. */
export interface StatusReport {
  readonly schemaVersion: typeof CONTROL_SCHEMA
  readonly name: string
  /** Of the supervisor. */
  readonly pid: number
  readonly state: SupervisorPhase
  /** How many workers there should be. */
  readonly size: number
  readonly generation: number
  /** Of everycore. */
  readonly version: string
  /** Of Node, as `process.version`. */
  readonly node: string
  readonly script: string
  readonly startedAt: string
  readonly uptimeMs: number
  readonly runtimeDir: string | null
  readonly addresses: readonly AddressStatus[]
  /** How it is, in words, the worst first; never empty. */
  readonly verdict: readonly string[]
  readonly reload: ReloadStatus | null
  /** All workers leave, or have left, and new ones of that generation boot. */
  readonly restart: { readonly to: number } | null
  /** Connections in the supervisor's hands since the start, by what became of them. */
  readonly handOvers: { readonly relayed: number; readonly gaveBack: number; readonly gaveUp: number; readonly waiting: number }
  /** By slot; spares last. */
  readonly workers: readonly WorkerStatus[]
}

/** An event of the supervisor, as the stream tells it. */
export interface ControlEvent {
  readonly type: string
  readonly at: string
  readonly [field: string]: unknown
}

/** A line of a worker or of the supervisor. */
export interface LogEntry {
  /** When it arrived. */
  readonly at: string
  /** Null: the supervisor, or a spare that has no slot yet. */
  readonly slot: number | null
  readonly pid: number
  readonly stream: 'stdout' | 'stderr' | 'everycore'
  /** As the line tells it, if it is JSON of pino, bunyan or winston; null: it tells none. */
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | null
  /** As it was written, escapes included; what was no UTF-8 is U+FFFD. */
  readonly text: string
  /** Only a piece of a line of more than 64 KiB. */
  readonly cut?: true
}

/** GET /v1/logs, as a document. */
export interface LogReport {
  readonly schemaVersion: typeof CONTROL_SCHEMA
  readonly name: string
  /** Of the supervisor. */
  readonly pid: number
  /** Oldest first. */
  readonly records: readonly LogEntry[]
}

/** The first event of a stream of lines. */
export interface LogBegin {
  readonly name: string
  /** Of the supervisor. */
  readonly pid: number
  /** How many workers there should be. */
  readonly size: number
}

/** What became of a mutation. */
export interface ReloadResult {
  readonly schemaVersion: typeof CONTROL_SCHEMA
  readonly generation: number
  readonly tookMs: number
  /** Requests of killed workers that were in flight; null when not known. */
  readonly failedRequests: number | null
}

export interface ScaleResult {
  readonly schemaVersion: typeof CONTROL_SCHEMA
  readonly from: number
  readonly size: number
}

export interface StopResult {
  readonly schemaVersion: typeof CONTROL_SCHEMA
  readonly name: string
  readonly pid: number
}

/** The event `inspecting`: the inspector of a worker is open, until the stream ends. */
export interface InspectorOpened {
  readonly schemaVersion: typeof CONTROL_SCHEMA
  readonly slot: number
  readonly pid: number
  /** Of the WebSocket, on 127.0.0.1; whoever knows it can run any code in the worker. */
  readonly url: string
  readonly port: number
}

export interface InspectorClosed {
  readonly schemaVersion: typeof CONTROL_SCHEMA
  readonly slot: number
  readonly pid: number
  /** `later`: the worker waits for its debugger to go, stands at a breakpoint, or hangs, and will do it when it goes on. `gone`: the worker has ended. */
  readonly closed: 'now' | 'later' | 'gone'
}

/** What a heap snapshot will cost; estimates, by the size of the heap. */
export interface HeapEstimate {
  readonly schemaVersion: typeof CONTROL_SCHEMA
  readonly slot: number
  readonly pid: number
  readonly heapUsedBytes: number
  /** Of the file. */
  readonly fileBytes: number
  /** What the worker needs in addition while it is taken. */
  readonly memoryBytes: number
  /** What there is, by the limit of the container or the memory of the machine. */
  readonly availableBytes: number
  /** How long the worker answers nobody: at least, and with many small objects. */
  readonly pauseMs: readonly [least: number, most: number]
}

/** The body of every answer that is an error. */
export interface ControlError {
  readonly error: {
    /** Of the table of error codes. */
    readonly code: string
    readonly message: string
    readonly why: string | null
    readonly hint: string | null
    /** Of a new worker that made a reload fail: the last that it wrote. */
    readonly lastLines?: readonly string[]
  }
}
