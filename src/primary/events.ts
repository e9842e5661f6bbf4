/** What a supervisor tells its listeners: the notices of the core, and what the shell alone can know. */
import type { Notice, ReportedError, WorkerId } from '../core/types.ts'
import type { Place } from '../listen/primary/held-sockets.ts'

/** Says which worker an event is about. */
export interface WorkerRef {
  readonly id: WorkerId
  readonly slot: number
  readonly pid: number
  readonly generation: number
}

/** Where a server of the app listens. `port` is null for a unix socket, whose path is the address. */
export type Listening = Place

type NoticeOf<Type extends Notice['type']> = [Extract<Notice, { readonly type: Type }>]
type WorkerNoticeOf<Type extends Notice['type']> = [Extract<Notice, { readonly type: Type }> & WorkerRef]

/** Event name to listener arguments. */
export interface SupervisorEvents {
  'primary:started': NoticeOf<'primary:started'>
  'primary:phase': NoticeOf<'primary:phase'>
  'primary:stopping': NoticeOf<'primary:stopping'>
  'primary:stopped': NoticeOf<'primary:stopped'>
  'worker:spawned': WorkerNoticeOf<'worker:spawned'>
  'worker:ready': WorkerNoticeOf<'worker:ready'>
  'worker:stalled': WorkerNoticeOf<'worker:stalled'>
  'worker:worn': WorkerNoticeOf<'worker:worn'>
  'worker:draining': WorkerNoticeOf<'worker:draining'>
  'worker:exited': WorkerNoticeOf<'worker:exited'>
  'worker:spawn-failed': NoticeOf<'worker:spawn-failed'>
  'reload:started': NoticeOf<'reload:started'>
  'reload:finished': NoticeOf<'reload:finished'>
  'reload:aborted': NoticeOf<'reload:aborted'>
  /** What the reload would run is no good; nothing was changed. */
  'reload:refused': [{ readonly why: string }]
  'restart:started': NoticeOf<'restart:started'>
  'restart:finished': NoticeOf<'restart:finished'>
  /** A new supervisor was started, in the process with that pid. */
  'upgrade:started': [{ readonly pid: number }]
  /** It has taken over: this one drains and ends. */
  'upgrade:finished': [{ readonly pid: number; readonly tookMs: number }]
  /** This one goes on as if nothing had been. */
  'upgrade:aborted': [{ readonly why: string }]
  'scale:changed': NoticeOf<'scale:changed'>
  /** A server of the worker listens. */
  'worker:listening': [WorkerRef & Listening]
  /** A listen() of the worker failed; the app's own 'error' event has it too. */
  'worker:listen-failed': [WorkerRef & { readonly code: string; readonly address: string | null; readonly port: number | null }]
  /** Hardly any file descriptor is left to the worker: it accepts no more until some are closed. */
  'worker:full': [WorkerRef & { readonly used: number; readonly limit: number }]
  /** After `worker:full`: it accepts again. */
  'worker:accepting': [WorkerRef]
  /** The app called `process.send`. */
  'worker:message': [message: unknown, worker: WorkerRef, handle?: unknown]
  /** An error that nobody caught; the exit follows. */
  'worker:error': [WorkerRef & { readonly error: ReportedError }]
  /** Node's IPC channel was closed; supervision goes on by the control pipe. */
  'worker:disconnected': [WorkerRef]
  /** The worker sent what no worker may send, or did not read what it had asked for, and is ended for it. */
  'worker:violated': [WorkerRef & { readonly why: string }]
}

export type SupervisorEventName = keyof SupervisorEvents

/** Every name. The compiler sees to it that none is missing, and none too many. */
const NAMES: Readonly<Record<SupervisorEventName, true>> = {
  'primary:started': true,
  'primary:phase': true,
  'primary:stopping': true,
  'primary:stopped': true,
  'worker:spawned': true,
  'worker:ready': true,
  'worker:stalled': true,
  'worker:worn': true,
  'worker:draining': true,
  'worker:exited': true,
  'worker:spawn-failed': true,
  'reload:started': true,
  'reload:finished': true,
  'reload:aborted': true,
  'reload:refused': true,
  'restart:started': true,
  'restart:finished': true,
  'upgrade:started': true,
  'upgrade:finished': true,
  'upgrade:aborted': true,
  'scale:changed': true,
  'worker:listening': true,
  'worker:listen-failed': true,
  'worker:full': true,
  'worker:accepting': true,
  'worker:message': true,
  'worker:error': true,
  'worker:disconnected': true,
  'worker:violated': true,
}

/** {@link SupervisorEventName}s as a list. */
export const EVENT_NAMES = Object.keys(NAMES) as readonly SupervisorEventName[]
