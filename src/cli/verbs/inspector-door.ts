/**
 * The way to an inspector, for as long as this process has it open. Node's `inspector.close()` stops the worker until every
 * debugger has gone. Those that come this way can be sent away first, and a worker that stands at a breakpoint goes on then.
 */
import { once } from 'node:events'
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net'

const LOOPBACK = '127.0.0.1'

export interface InspectorDoor {
  readonly port: number
  readonly shut: () => void
}

/** Listens on a free port of loopback, and passes on what comes. */
export async function openDoor(inspectorPort: number): Promise<InspectorDoor> {
  const sockets = new Set<Socket>()
  const keep = (socket: Socket, other: () => Socket): void => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => {
      sockets.delete(socket)
      other().destroy()
    })
  }
  const server = createServer((client) => {
    const inspector = createConnection({ host: LOOPBACK, port: inspectorPort })
    keep(client, () => inspector)
    keep(inspector, () => client)
    client.pipe(inspector)
    inspector.pipe(client)
  })
  server.listen(0, LOOPBACK)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    shut() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
