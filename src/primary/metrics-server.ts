/** Metrics and probes over HTTP, for those who cannot reach the control socket: it can only be read. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EverycoreError } from '../base/errors.ts'
import type { MetricsAddress } from '../config/metrics-address.ts'
import { findHolder } from '../listen/primary/port-holder.ts'
import type { Logger } from '../logs/logs.ts'
import { isLoopback, isOwnHost } from '../metrics/own-host.ts'
import { METRICS_PATHS, type Metrics } from './metrics.ts'
import type { Answer } from './probes.ts'

/** For the head of a request, and for a client that does not read its answer. */
const PATIENCE_MS = 5000
/** A scrape comes every few seconds, and each prober has a connection or two. */
const MOST_CONNECTIONS = 64
const HEAD_BYTES = 16 * 1024
/** From so many on, those that are idle make room for those that have something to ask. */
const MANY_CONNECTIONS = 48
/** Longer than the usual time between two scrapes, so that no scrape meets a connection that is just being closed. */
const IDLE_MS = 65_000
const NO_SUCH_ADDRESS = new Set(['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN'])
/** How often a successor looks whether the supervisor before it has given the port up, and how long. */
const AGAIN_MS = 50
const AGAIN_LIMIT_MS = 10_000

export interface MetricsServer {
  /** Where it listens; the port is known when 0 was asked for. */
  readonly url: string
  readonly close: () => void
}

/**
 * Listens. It keeps no process alive.
 *
 * @throws EverycoreError ERR_EVERYCORE_METRICS when that is not possible
 */
export async function openMetricsServer(address: MetricsAddress, metrics: Pick<Metrics, 'answer'>): Promise<MetricsServer> {
  const server = createServer({ maxHeaderSize: HEAD_BYTES, headersTimeout: PATIENCE_MS, requestTimeout: PATIENCE_MS, keepAliveTimeout: IDLE_MS, connectionsCheckingInterval: 1000 })
  server.maxConnections = MOST_CONNECTIONS
  server.timeout = 2 * PATIENCE_MS
  server.on('request', (request, response) => void respond(request, response, metrics))
  makeRoom(server)
  server.on('clientError', (_error, socket) => socket.destroy())
  await bind(server, address)
  server.unref()
  const { address: host, port, family } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${host}]` : host}:${port}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** The same for a supervisor that takes the place of another one, which has the port until its end is decided. */
export async function succeedMetricsServer(address: MetricsAddress, metrics: Pick<Metrics, 'answer'>): Promise<MetricsServer> {
  for (let waitedMs = 0; ; waitedMs += AGAIN_MS) {
    try {
      // oxlint-disable-next-line no-await-in-loop
      return await openMetricsServer(address, metrics)
    } catch (error) {
      if (waitedMs >= AGAIN_LIMIT_MS) throw error
    }
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
  }
}

/** Tells where metrics are, once for the log. */
export function tellMetrics(log: Logger, { url }: MetricsServer): void {
  log.info(`metrics and probes on ${url}${METRICS_PATHS[0]}`, { metrics: url })
}

function makeRoom(server: Server): void {
  let open = 0
  server.on('connection', (socket) => {
    open += 1
    socket.once('close', () => (open -= 1))
    if (open > MANY_CONNECTIONS) server.closeIdleConnections()
  })
}

async function bind(server: Server, { host, port }: MetricsAddress): Promise<void> {
  const failure = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    server.once('error', resolve)
    server.listen({ host, port, exclusive: true }, () => resolve(undefined))
  })
  server.removeAllListeners('error')
  server.on('error', () => {})
  if (failure !== undefined) throw await bindError(failure, host, port)
}

async function bindError(error: NodeJS.ErrnoException, host: string, port: number): Promise<EverycoreError> {
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const failed = (why: string, hint: string): EverycoreError => new EverycoreError('ERR_EVERYCORE_METRICS', `metrics cannot be served on ${place}`, { why, hint, cause: error })
  if (error.code === 'EADDRINUSE') {
    const holder = await findHolder({ port })
    return failed(holder === undefined ? 'another process listens there; which one this user may not see' : `process ${holder.pid} listens there (${holder.command})`, 'stop that process, or choose another port with --metrics')
  }
  if (error.code === 'EACCES') return failed('ports below 1024 belong to root on this system', 'choose a port from 1024 up with --metrics')
  if (NO_SUCH_ADDRESS.has(error.code ?? '')) return failed('this machine has no such address', 'use 127.0.0.1 for this machine alone, 0.0.0.0 for all of its addresses')
  return failed(error.message, 'check the address that --metrics names')
}

async function respond(request: IncomingMessage, response: ServerResponse, metrics: Pick<Metrics, 'answer'>): Promise<void> {
  const { status, headers, body } = refusal(request) ?? (await metrics.answer(request.url ?? '/', request.headers.accept)) ?? plain(404, `not found; there are ${METRICS_PATHS.join(', ')}\n`)
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  response.end(request.method === 'HEAD' ? undefined : body)
}

function refusal({ method, headers, socket }: IncomingMessage): Answer | undefined {
  if (method !== 'GET' && method !== 'HEAD') return { ...plain(405, 'only GET and HEAD\n'), headers: { allow: 'GET, HEAD', connection: 'close' } }
  if (isLoopback(socket.localAddress ?? '') && !isOwnHost(headers.host)) return plain(403, 'the Host header must name this machine\n')
  return undefined
}

function plain(status: number, body: string): Answer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
}
