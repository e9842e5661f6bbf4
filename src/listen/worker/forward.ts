/**
 * Passes a request on to the worker that it belongs to, over a local socket, and its answer back: for connections on
 * which a proxy sends the requests of several clients. Bodies stream, with back-pressure both ways.
 *
 * @see RFC 9110, 7.6.1 on the fields of a hop
 */
import type { ClientRequest, IncomingMessage, RequestOptions, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connectGreeted } from './greeting.ts'
import { clientFields, CLIENT_FIELD } from './passed-client.ts'

/**
 * Between two hops only; an upgrade goes another way. Fields that the client names in `Connection` are not among them: a client could
 * make the body lose its length, or the app lose a field that a proxy has set.
 */
const HOP_FIELDS = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade', 'http2-settings'])
/** How the body of an answer is framed depends on what the client understands. */
const ANSWER_HOP_FIELDS = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding'])
/** May be sent twice (RFC 9110, 9.2.1). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])
/** For requests of other methods that say nothing of a body Node would begin one. */
const WITHOUT_BODY = new Set([...SAFE, 'DELETE', 'TRACE', 'CONNECT'])
/** How long a connection waits for its next request: less than any server waits by default, so that none is closed under a request. */
const IDLE_MS = 1000

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The other worker's socket. */
  readonly path: string
  /** Serves it here: the other worker cannot be reached, and nothing of the body is gone. */
  readonly serveHere: () => void
  /** The client waits for a `100 Continue`, which the app of the other worker decides on. */
  readonly asksFirst: boolean
}

/** Connections to other workers, kept for further requests. */
export interface Forwarder {
  readonly request: (exchange: Exchange) => void
  readonly tunnel: (request: IncomingMessage, socket: Duplex, head: Buffer, path: string, serveHere: () => void) => void
}

/** As an Agent asks for it. */
function createConnection({ path }: { readonly path?: string }, done: (error: Error | null, socket?: Socket) => void): undefined {
  connectGreeted(path ?? '', done)
  return undefined
}

export function createForwarder(): Forwarder {
  const http = process.getBuiltinModule('node:http')
  const agent = new http.Agent({ keepAlive: true, timeout: IDLE_MS, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 64 })
  Object.assign(agent, { createConnection })
  const send = (exchange: Exchange, isSecond: boolean): void => {
    const { request, response, path, serveHere, asksFirst } = exchange
    const isDropped = (name: string): boolean => HOP_FIELDS.has(name) || name === CLIENT_FIELD || (name === 'expect' && !asksFirst)
    const options: RequestOptions = { ...(isSecond ? { createConnection: createConnection as never } : { agent }), socketPath: path, method: request.method ?? 'GET', path: request.url ?? '/', headers: [...clientFields(request), ...lengthOf(request), ...without(request.rawHeaders, isDropped)] as never }
    let passed: ClientRequest
    try {
      // Not by `http.request`, which apps replace in order to trace what they themselves ask for.
      passed = new http.ClientRequest(options)
    } catch {
      // A server that was told to be lenient reads what no client may send.
      serveHere()
      return
    }
    let answered = false
    passed.once('response', (answer) => {
      answered = true
      giveBack(answer, response)
    })
    passed.on('continue', () => response.writeContinue())
    const begun = pour(request, passed)
    passed.on('error', () => {
      // Of an answer that has begun its own end tells.
      if (answered) return
      if (response.headersSent || response.destroyed) response.destroy()
      else if (!begun()) serveHere()
      else if (passed.reusedSocket && !isSecond && SAFE.has(request.method ?? '') && !hasBody(request)) send(exchange, true)
      else failed(response)
    })
    response.once('close', () => {
      if (!response.writableFinished) passed.destroy()
    })
  }
  return {
    request: (exchange) => send(exchange, false),
    tunnel: (request, socket, head, path, serveHere) => tunnel({ request, socket, head, path, serveHere }),
  }
}

/** Only once the other worker has the connection: until then the body can still be served here. Returns whether it has begun. */
function pour(request: IncomingMessage, passed: ClientRequest): () => boolean {
  let begun = false
  const begin = (): void => {
    begun = true
    request.pipe(passed, { end: false })
    request.once('end', () => {
      const trailers = pairs(request.rawTrailers)
      if (trailers.length > 0) passed.addTrailers(trailers as never)
      passed.end()
    })
    // What nobody wants any more makes room for the next request of the connection.
    passed.once('close', () => request.resume())
  }
  passed.once('socket', begin)
  // A client that breaks off in its body must not look like one that has sent all.
  request.once('close', () => {
    if (!request.complete) passed.destroy()
  })
  return () => begun
}

function giveBack(answer: IncomingMessage, response: ServerResponse): void {
  const fields = without(answer.rawHeaders, (name) => ANSWER_HOP_FIELDS.has(name))
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, fields as never)
  // Together with what has come of the body. A stream of events may begin with nothing but the head.
  setImmediate(() => {
    if (!response.writableEnded) response.flushHeaders()
  })
  answer.pipe(response, { end: false })
  answer.once('end', () => {
    const trailers = answer.rawTrailers
    if (trailers.length > 0) response.addTrailers(pairs(trailers) as never)
    response.end()
  })
  answer.once('close', () => {
    if (!answer.complete) response.destroy()
  })
}

function failed(response: ServerResponse): void {
  response.writeHead(502, { 'content-type': 'text/plain', connection: 'close' })
  response.end('The worker that this client belongs to has ended while it handled the request.\n')
}

interface Tunnel {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
  readonly path: string
  readonly serveHere: () => void
}

/** An upgrade: byte for byte from here on, in both directions. */
function tunnel({ request, socket, head, path, serveHere }: Tunnel): void {
  const pending = connectGreeted(path, (error, other) => {
    if (error !== null || other === undefined) {
      serveHere()
      return
    }
    const fields = [...clientFields(request), ...without(request.rawHeaders, (name) => name === CLIENT_FIELD)]
    other.write(`${request.method} ${request.url} HTTP/1.1\r\n${pairs(fields).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`, 'latin1')
    if (head.length > 0) other.write(head)
    socket.pipe(other)
    other.pipe(socket)
    other.on('error', () => socket.destroy())
    // After what is still to be written.
    other.once('close', () => (socket as Socket).destroySoon())
  })
  socket.on('error', () => pending.destroy())
  socket.once('close', () => pending.destroy())
}

/** @see RFC 9112, 6.3 */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
}

function lengthOf(request: IncomingMessage): readonly string[] {
  return hasBody(request) || WITHOUT_BODY.has(request.method ?? '') ? [] : ['content-length', '0']
}

function without(raw: readonly string[], isDropped: (name: string) => boolean): readonly string[] {
  return pairs(raw).filter(([name]) => !isDropped(name.toLowerCase())).flat()
}

function pairs(raw: readonly string[]): readonly (readonly [string, string])[] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[index * 2] ?? '', raw[index * 2 + 1] ?? ''] as const)
}
