import type { ServerKind } from '../../protocol/messages.ts'

/** Tells what kind of server listens by its shape: to load http, https and http2 only to compare would cost each worker milliseconds. */
export function serverKind(server: object): ServerKind {
  const name = server.constructor.name
  if (name.startsWith('Http2')) return 'http2'
  const isTls = 'setTicketKeys' in server
  const isHttp = 'keepAliveTimeout' in server
  if (isHttp) return isTls ? 'https' : 'http'
  if (isTls) return 'tls'
  return 'setBroadcast' in server ? 'udp' : 'net'
}
