/** The methods of the control socket: the one table for server, client and docs/control.md. */

export interface Method {
  readonly verb: 'GET' | 'POST'
  readonly path: string
  /** `once`: one document. `stream`: server-sent events. `either`: as the client accepts: the progress as events and then one `result` or `error`, or only that, as a document. */
  readonly answers: 'once' | 'stream' | 'either'
  /** Fields of the query, and what each may be. */
  readonly query?: Readonly<Record<string, string>>
  /** Fields of the body, and what each may be. */
  readonly body: Readonly<Record<string, string>>
  readonly help: string
}

export const METHODS = {
  status: { verb: 'GET', path: '/v1/status', answers: 'once', body: {}, help: 'How the app and its workers are. Never waits for a worker.' },
  events: { verb: 'GET', path: '/v1/events', answers: 'stream', body: {}, help: 'Every event of the supervisor from now on, by its name.' },
  logs: {
    verb: 'GET',
    path: '/v1/logs',
    answers: 'either',
    query: {
      n: 'how many of the newest lines, up to 100000, or up to 1000 in a document; 100 if left out',
      follow: '`1`: goes on with the lines that come; always a stream',
      worker: 'only those of this slot',
      level: 'only those of this level and above: `trace`, `debug`, `info`, `warn`, `error`, `fatal`',
      since: 'only those that came then or later, ISO 8601',
      after: 'the `id` of the last event of a stream that was cut off: goes on after it',
    },
    body: {},
    help: 'The newest lines of workers and supervisor: a document, or a stream of `begin`, `log`, `missed` (so many were forgotten before this client read them), `live` (what follows is new), `upgraded` and `end`.',
  },
  reload: { verb: 'POST', path: '/v1/reload', answers: 'either', body: {}, help: 'Replaces every worker, each ready before its predecessor drains. Answered when that is done, or has failed.' },
  abortReload: { verb: 'POST', path: '/v1/reload/abort', answers: 'once', body: {}, help: 'Turns the reload under way back, and drops one that waits.' },
  restart: { verb: 'POST', path: '/v1/restart', answers: 'either', body: {}, help: 'Drains all workers at once, and starts new ones when the last has gone. Answered when all are ready.' },
  scale: { verb: 'POST', path: '/v1/scale', answers: 'either', body: { size: '1 to 1024, `"+1"`, `"-1"` or `"auto"`' }, help: 'Changes the number of workers. Answered when that many are ready and the surplus has left.' },
  stop: { verb: 'POST', path: '/v1/stop', answers: 'either', body: { force: '`true`: kill instead of draining' }, help: 'Ends the supervisor. A document is answered at once, the `result` of a stream when the last worker has left.' },
} as const satisfies Readonly<Record<string, Method>>

export type MethodName = keyof typeof METHODS

/** Every {@link MethodName}, in the order of the table. */
export const METHOD_NAMES = Object.keys(METHODS) as readonly MethodName[]

/** {@link METHODS} for code that treats all alike. */
export function methodOf(name: MethodName): Method {
  return METHODS[name]
}
