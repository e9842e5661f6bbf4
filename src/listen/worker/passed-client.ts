/** How the worker that passes a request on tells whose it is: in a field that is gone before the app sees the request. */
import type { IncomingMessage } from 'node:http'

export const CLIENT_FIELD = 'x-everycore-client'

/** Ends of a connection as a socket shows them. */
const SHOWN = ['remoteAddress', 'remotePort', 'remoteFamily', 'localAddress', 'localPort'] as const

/** To be sent before all others: of very many fields a server drops the last. */
export function clientFields({ socket, headers }: IncomingMessage): readonly string[] {
  const client = [CLIENT_FIELD, SHOWN.map((name) => socket[name] ?? '').join(' ')]
  // HTTP/1.0 needs no Host; without one HTTP/1.1 is refused.
  return headers.host === undefined ? [...client, 'host', ''] : client
}

/** Takes the field off a request that came from another worker, and makes its socket look like the client's. */
export function takeClientFields(request: IncomingMessage): void {
  const value = request.headers[CLIENT_FIELD]
  takeField(request, CLIENT_FIELD)
  if (request.headers.host === '') takeField(request, 'host')
  if (typeof value !== 'string') return
  const ends = value.split(' ')
  for (const [index, name] of SHOWN.entries()) {
    const end = ends[index]
    Object.defineProperty(request.socket, name, { configurable: true, value: end === undefined || end === '' ? undefined : name.endsWith('Port') ? Number(end) : end })
  }
}

function takeField({ headers, rawHeaders }: IncomingMessage, field: string): void {
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === field)
  if (at !== -1) rawHeaders.splice(at, 2)
  delete headers[field]
}
