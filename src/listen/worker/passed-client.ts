/** How the worker that passes a request on tells whose it is: in a field that is gone before the app sees the request. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

export const CLIENT_FIELD = 'x-everycore-client'

/** Ends of a connection as a socket shows them. */
const SHOWN = ['remoteAddress', 'remotePort', 'remoteFamily', 'localAddress', 'localPort'] as const

export function clientFields(socket: Socket): readonly [string, string] {
  return [CLIENT_FIELD, SHOWN.map((name) => socket[name] ?? '').join(' ')]
}

/** Takes the field off a request that came from another worker, and makes its socket look like the client's. */
export function takeClientFields(request: IncomingMessage): void {
  const value = request.headers[CLIENT_FIELD]
  const { rawHeaders } = request
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === CLIENT_FIELD)
  if (at !== -1) rawHeaders.splice(at, 2)
  delete request.headers[CLIENT_FIELD]
  if (typeof value !== 'string') return
  const ends = value.split(' ')
  for (const [index, name] of SHOWN.entries()) {
    const end = ends[index]
    Object.defineProperty(request.socket, name, { configurable: true, value: end === undefined || end === '' ? undefined : name.endsWith('Port') ? Number(end) : end })
  }
}
