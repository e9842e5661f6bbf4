/** The methods of the table, carried out. */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono, type Context } from 'hono'
import { EverycoreError } from '../base/errors.ts'
import { CONTROL_SCHEMA } from '../protocol/control.ts'
import { refuse } from './access.ts'
import { readBody, readScaleTarget } from './body.ts'
import { openEventStream } from './event-stream.ts'
import { LIMITS } from './limits.ts'
import { logDocument, openLogStream } from './log-stream.ts'
import { readLogRequest } from './log-request.ts'
import { METHOD_NAMES, methodOf, type MethodName } from './methods.ts'
import { Mutations } from './mutations.ts'
import type { ControlPorts, TcpAccess, Way } from './ports.ts'
import { readText } from './read-text.ts'
import { answerTo, refusal, type Answer } from './wire-error.ts'

interface Env {
  readonly Bindings: HttpBindings & { readonly outgoing: ServerResponse }
}

type Fields = ReadonlyMap<string, unknown>

/** What each method does. A stream is told of it as it goes on. */
type Actions = Readonly<Record<Exclude<MethodName, 'events' | 'logs'>, (fields: Fields, isStream: boolean) => object | Promise<object>>>

/** Events that end a stream of a stop. */
const STOPPED = 'primary:stopped'

export function routes(ports: ControlPorts, access: TcpAccess | undefined, wayOf: (socket: Socket) => Way): { readonly fetch: Hono<Env>['fetch'] } {
  const app = new Hono<Env>()
  const actions = actionsOf(ports)
  const streams = new Streams(ports)
  const logs = async (context: Context<Env>): Promise<Response> => {
    const asked = readLogRequest(new URL(context.req.url).searchParams, acceptsStream(context), ports.status().pid)
    if (!asked.ok) return json(context, asked.answer)
    if (!asked.isStream) return document(context, async () => logDocument(ports, asked.query))
    return streams.admit(context, (onEnd) => openLogStream(ports, asked, context.env.outgoing, onEnd))
  }
  app.use('*', async (context, next) => {
    const { host, origin, authorization, 'sec-fetch-site': fetchSite } = context.env.incoming.headers
    const refused = refuse({ host, origin, fetchSite: typeof fetchSite === 'string' ? fetchSite : undefined, authorization }, wayOf(context.env.incoming.socket), access)
    if (refused !== undefined) return json(context, refused)
    await next()
    return undefined
  })
  for (const name of METHOD_NAMES) {
    const { verb, path, answers, body } = methodOf(name)
    app.on(verb, path, async (context) => {
      if (name === 'events') return streams.open(context)
      if (name === 'logs') return logs(context)
      const read = verb === 'GET' ? readBody('', []) : await fieldsOf(context, Object.keys(body))
      if (!read.ok) return json(context, read.answer)
      const isStream = answers === 'either' && acceptsStream(context)
      const action = async (): Promise<object> => actions[name](read.fields, isStream)
      return isStream ? streams.open(context, action) : document(context, action)
    })
  }
  for (const path of new Set(METHOD_NAMES.map((name) => methodOf(name).path))) {
    const verbs = METHOD_NAMES.filter((name) => methodOf(name).path === path).map((name) => methodOf(name).verb)
    app.all(path, (context) => json(context, refusal(405, `${context.req.method} is not for ${path}`, `Use ${verbs.join(' or ')}.`)))
  }
  app.notFound((context) => json(context, refusal(404, 'there is no such method', `There are: ${METHOD_NAMES.map((name) => `${methodOf(name).verb} ${methodOf(name).path}`).join(', ')}.`)))
  app.onError((error, context) => {
    ports.warn(`a defect of everycore, please report it: the control server failed: ${error.stack ?? error.message}`)
    return json(context, answerTo(error))
  })
  return { fetch: app.fetch }
}

function actionsOf(ports: ControlPorts): Actions {
  const mutations = new Mutations()
  return {
    status: () => ports.status(),
    reload: async () => mutations.run('reload', ports.reload),
    abortReload: () => {
      ports.abortReload()
      return { schemaVersion: CONTROL_SCHEMA }
    },
    restart: async () => mutations.run('restart', ports.restart),
    scale: async (fields) => {
      const target = readScaleTarget(fields.get('size'))
      if (target === undefined) throw wrong('size must be 1 to 1024, "+1", "-1" or "auto"')
      return mutations.run(undefined, async () => ports.scale(target))
    },
    // Whoever is in a hurry does not wait for a reload.
    stop: async (fields, isStream) => {
      const force = fields.get('force') ?? false
      if (typeof force !== 'boolean') throw wrong('force must be true or false')
      const stopped = isStream ? untilStopped(ports) : undefined
      const result = ports.stop(force)
      await stopped
      return result
    },
  }
}

function wrong(message: string): EverycoreError {
  return new EverycoreError('ERR_EVERYCORE_REQUEST', message)
}

async function untilStopped(ports: ControlPorts): Promise<void> {
  return new Promise((resolve) => {
    const end = ports.subscribe(({ type }) => {
      if (type !== STOPPED) return
      end()
      resolve()
    })
  })
}

/** The streams of all clients. */
class Streams {
  readonly #ports: ControlPorts
  #count = 0

  constructor(ports: ControlPorts) {
    this.#ports = ports
  }

  /** Opens a stream if there is still room for one. */
  admit(context: Context<Env>, open: (onEnd: () => void) => void): Response {
    if (this.#count >= LIMITS.streams) return json(context, refusal(503, `${LIMITS.streams} streams are open already`, 'Close one, or try again later.'))
    this.#count += 1
    open(() => void (this.#count -= 1))
    return RESPONSE_ALREADY_SENT
  }

  /** Events until the client goes, or until the action is done, whose result is the last. */
  open(context: Context<Env>, action?: () => Promise<object>): Response {
    return this.admit(context, (onEnd) => this.#events(context, onEnd, action))
  }

  #events(context: Context<Env>, onEnd: () => void, action: (() => Promise<object>) | undefined): void {
    let unsubscribe: (() => void) | undefined
    const stream = openEventStream(context.env.outgoing, () => {
      onEnd()
      unsubscribe?.()
    })
    unsubscribe = this.#ports.subscribe((event) => stream.send(event.type, event))
    stream.send('status', this.#ports.status())
    if (action !== undefined) {
      action()
        .then((result) => stream.send('result', result), (error: unknown) => stream.send('error', answerTo(error).body))
        .finally(() => stream.end())
    }
  }
}

function acceptsStream(context: Context<Env>): boolean {
  return (context.req.header('accept') ?? '').includes('text/event-stream')
}

async function document(context: Context<Env>, action: () => Promise<object>): Promise<Response> {
  try {
    return json(context, { status: 200, body: await action() })
  } catch (error) {
    return json(context, answerTo(error))
  }
}

async function fieldsOf(context: Context<Env>, allowed: readonly string[]): Promise<ReturnType<typeof readBody>> {
  const { incoming } = context.env
  const read = await readText(incoming, LIMITS.bodyBytes, LIMITS.bodyTimeoutMs)
  if (!read.ok) return { ok: false, answer: read.answer }
  const type = incoming.headers['content-type'] ?? ''
  // A form of a website can send any other type without being asked first.
  if (read.text !== '' && !/^application\/json\b/i.test(type)) return { ok: false, answer: refusal(415, 'the body must be application/json') }
  return readBody(read.text, allowed)
}

/** Written to Node's own response: one of the web, and the stream in it, takes longer than all else. */
function json({ env: { outgoing } }: Context<Env>, { status, body }: Answer | { readonly status: 200; readonly body: object }): Response {
  const text = `${JSON.stringify(body)}\n`
  // An error in the middle of an answer can only be shown by its end.
  if (outgoing.headersSent) {
    outgoing.destroy()
    return RESPONSE_ALREADY_SENT
  }
  outgoing.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status >= 400 && { connection: 'close' }),
  })
  outgoing.end(text)
  return RESPONSE_ALREADY_SENT
}
