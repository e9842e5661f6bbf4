/** The methods of the control socket: the one table for server, client and docs/control.md. */

export interface Method {
  readonly verb: 'GET' | 'POST'
  readonly path: string
  /** `once`: one document. `stream`: server-sent events. `either`: as the client accepts: the progress as events and then one `result` or `error`, or only that, as a document. `bytes`: a file. */
  readonly answers: 'once' | 'stream' | 'either' | 'bytes'
  /** Fields of the body, and what each may be. */
  readonly body: Readonly<Record<string, string>>
  readonly help: string
}

export const METHODS = {
  status: { verb: 'GET', path: '/v1/status', answers: 'once', body: {}, help: 'How the app and its workers are. Never waits for a worker.' },
  events: { verb: 'GET', path: '/v1/events', answers: 'stream', body: {}, help: 'Every event of the supervisor from now on, by its name.' },
  reload: { verb: 'POST', path: '/v1/reload', answers: 'either', body: {}, help: 'Replaces every worker, each ready before its predecessor drains. Answered when that is done, or has failed.' },
  abortReload: { verb: 'POST', path: '/v1/reload/abort', answers: 'once', body: {}, help: 'Turns the reload under way back, and drops one that waits.' },
  restart: { verb: 'POST', path: '/v1/restart', answers: 'either', body: {}, help: 'Drains all workers at once, and starts new ones when the last has gone. Answered when all are ready.' },
  scale: { verb: 'POST', path: '/v1/scale', answers: 'either', body: { size: '1 to 1024, `"+1"`, `"-1"` or `"auto"`' }, help: 'Changes the number of workers. Answered when that many are ready and the surplus has left.' },
  stop: { verb: 'POST', path: '/v1/stop', answers: 'either', body: { force: '`true`: kill instead of draining' }, help: 'Ends the supervisor. A document is answered at once, the `result` of a stream when the last worker has left.' },
  inspect: { verb: 'POST', path: '/v1/inspect', answers: 'stream', body: { slot: 'of the worker' }, help: 'Opens the inspector of a worker on 127.0.0.1, tells where in the event `inspecting`, and closes it when the stream ends. Debuggers must go first, at the latest when `closing` is told: the worker stands still until they have.' },
  closeInspector: { verb: 'POST', path: '/v1/inspect/close', answers: 'once', body: { slot: 'of the worker' }, help: 'Closes an inspector that somebody else has open.' },
  profile: { verb: 'POST', path: '/v1/profile', answers: 'bytes', body: { slot: 'of the worker', kind: '`"cpu"`, `"heap"` or `"sampling"`', seconds: '1 to 600; default 10, none for `heap`' }, help: 'Profiles a worker. A heap snapshot stops it while it is taken, and holds all that it has in memory. The header `everycore-worker` has its pid.' },
  estimateHeap: { verb: 'POST', path: '/v1/profile/estimate', answers: 'once', body: { slot: 'of the worker' }, help: 'What a heap snapshot of a worker would cost: pause, memory, size.' },
} as const satisfies Readonly<Record<string, Method>>

export type MethodName = keyof typeof METHODS

/** Every {@link MethodName}, in the order of the table. */
export const METHOD_NAMES = Object.keys(METHODS) as readonly MethodName[]

/** {@link METHODS} for code that treats all alike. */
export function methodOf(name: MethodName): Method {
  return METHODS[name]
}
