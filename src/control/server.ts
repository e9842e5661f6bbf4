/**
 * The control server: HTTP for the connections that it is given. Loaded when the first one comes, as `dist/control.cjs`;
 * `doorway.ts` listens. The other side is `client.ts`.
 */
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { nowMs } from '../base/clock.ts'
import { LIMITS } from './limits.ts'
import { Places } from './places.ts'
import type { ControlPorts, TcpAccess, Way } from './ports.ts'
import { routes } from './routes.ts'

export interface ControlServer {
  /** Serves a connection that nobody has read yet. */
  readonly take: (socket: Socket, way: Way) => void
  /** Ends all; who is being answered has a moment. */
  readonly close: () => Promise<void>
}

const CLOSE_MS = 500

export function createControlServer(ports: ControlPorts, access: TcpAccess | undefined): ControlServer {
  const ways = new WeakMap<Socket, Way>()
  const { fetch } = routes(ports, access, (socket) => ways.get(socket) ?? 'tcp')
  const listener = getRequestListener(fetch, { overrideGlobalObjects: false })
  const http = createServer({ maxHeaderSize: LIMITS.headerBytes, keepAliveTimeout: LIMITS.headerTimeoutMs }, (request, response) => {
    const { socket } = request
    places.busy(socket)
    response.once('close', () => places.idle(socket))
    void listener(request, response)
  })
  const places = new Places((socket) => {
    http.emit('connection', socket)
    socket.resume()
  }, nowMs)
  return {
    take(socket, way) {
      ways.set(socket, way)
      // The service, and not who looks at it, keeps the process alive.
      socket.unref()
      places.take(socket)
    },
    close: async () => places.close(CLOSE_MS),
  }
}
