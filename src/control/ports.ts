/** What the control server needs of a supervisor, and of the place where it runs. */
import type { LogFollower, LogQuery } from '../logs/ring.ts'
import type { ProfileKind } from '../protocol/diagnosis.ts'
import type { ControlEvent, HeapEstimate, InspectorClosed, InspectorOpened, ReloadResult, ScaleResult, StatusReport, StopResult } from '../protocol/control.ts'

/** A number of workers, a change of it, or as many as the machine gives. */
export type ScaleTarget = number | '+1' | '-1' | 'auto'

export interface ProfileWish {
  readonly slot: number
  readonly kind: ProfileKind
  /** How long; a snapshot takes none. */
  readonly seconds: number
}

/** A profile that is complete, and waits in its worker. */
export interface ProfileSource {
  readonly pid: number
  /** Of the whole. */
  readonly bytes: number
  /** The next bytes; undefined after the last. Rejects when the worker ends. */
  readonly read: () => Promise<Uint8Array | undefined>
  /** Nobody wants it any more. */
  readonly cancel: () => void
}

/** An answer that is no JSON document. */
export interface Page {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Everything may throw, or reject with, an EverycoreError: one that hangs gives no answer. */
export interface DiagnosisPorts {
  /**
   * Opens the inspector, and closes it when the signal says so, when somebody else closes it, or the worker ends; fulfilled then.
   * `closing` is told before: the worker stands still until every debugger has gone.
   */
  readonly inspect: (slot: number, tell: (name: 'inspecting' | 'closing', data: InspectorOpened | object) => void, signal: AbortSignal) => Promise<InspectorClosed>
  readonly closeInspector: (slot: number) => Promise<InspectorClosed>
  readonly estimateHeap: (slot: number) => Promise<HeapEstimate>
  readonly profile: (wish: ProfileWish, signal: AbortSignal) => Promise<ProfileSource>
}

/** An answer that is no JSON document. */
export interface Page {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Everything may throw, or reject with, an EverycoreError. None waits for a worker but the mutations. */
export interface ControlPorts {
  readonly status: () => StatusReport
  /** Calls for each event from now on; returns how to end that. */
  readonly subscribe: (listener: (event: ControlEvent) => void) => () => void
  /** Follows what is written: the newest lines first, as the ring has them. */
  readonly followLogs: (query: LogQuery, onMore: () => void) => LogFollower
  /** The settings of this run; no value of a variable of the app. */
  readonly config: () => Promise<object>
  /** Metrics and probes, by path and query, in the form that the client accepts. */
  readonly page: (target: string, accept: string | undefined) => Promise<Page>
  readonly reload: () => Promise<ReloadResult>
  readonly abortReload: () => void
  readonly restart: () => Promise<ReloadResult>
  readonly scale: (target: ScaleTarget) => Promise<ScaleResult>
  /** Begins it. */
  readonly stop: (force: boolean) => StopResult
  /** Looks into one worker. */
  readonly diagnosis: DiagnosisPorts
  readonly warn: (text: string) => void
}

/** What is asked of a client that comes by TCP. */
export interface TcpAccess {
  /** 32 hexadecimal digits. */
  readonly token: string
}

/** Where a connection came from. On the unix socket the file system says who may. */
export type Way = 'unix' | 'tcp'
