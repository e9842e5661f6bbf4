/**
 * Asks one worker, and no other, for a path over HTTP. The connection does not go by the socket that all workers share: it
 * is a pair of sockets whose one end is sent to the worker like a connection that another one has handed over.
 */
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { Socket } from 'node:net'
import { makeLinkPair } from '../listen/primary/link-pair.ts'
import type { RawHandle } from '../listen/primary/raw-handle.ts'
import type { Parcel, ServerKind } from '../protocol/messages.ts'

/** Whom to ask. */
export interface ProbeTarget {
  /** The held socket that its server listens on. */
  readonly key: string
  readonly kind: ServerKind
  /** Sends it a connection; false when it cannot be reached. */
  readonly deliver: (parcel: Parcel, handle: RawHandle) => boolean
}

/** For one answer. */
const ANSWER_MS = 5000
/** Far from the numbers of connections that are relayed. */
const FIRST_SEQ = 2 ** 40

let lastSeq = FIRST_SEQ

/** Asks once. Returns what is wrong, in words; undefined: it has answered with a status below 400. */
export async function probe({ key, kind, deliver }: ProbeTarget, path: string): Promise<string | undefined> {
  if (kind !== 'http' && kind !== 'https') return `a server of ${kind} cannot be asked, only one of http or https`
  const pair = await makeLinkPair()
  if (pair === undefined) return 'the system gave no pair of sockets'
  const socket = new Socket({ handle: pair.near } as never)
  try {
    lastSeq += 1
    if (!deliver({ key, seq: lastSeq, must: true, isProbe: true }, pair.far)) return 'the worker cannot be reached'
    const status = await ask(socket, kind, path)
    return status < 400 ? undefined : `it answered with status ${status}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    socket.destroy()
    pair.far.close()
  }
}

async function ask(socket: Socket, kind: 'http' | 'https', path: string): Promise<number> {
  const { request } = await import('node:http')
  const connection = kind === 'http' ? socket : await secure(socket)
  const options: RequestOptions = { path, headers: { host: 'localhost', 'user-agent': 'everycore-probe', connection: 'close' }, createConnection: () => connection, timeout: ANSWER_MS }
  return new Promise((resolve, reject) => {
    const asked: ClientRequest = request(options, (response: IncomingMessage) => {
      response.resume()
      response.once('end', () => resolve(response.statusCode ?? 0))
      response.once('close', () => reject(new Error('its answer was cut off')))
    })
    asked.once('timeout', () => asked.destroy(new Error(`no answer within ${ANSWER_MS / 1000} s`)))
    asked.once('error', reject)
    asked.end()
  })
}

/** Whose certificate it is does not matter: nobody else can be at the other end. */
async function secure(socket: Socket): Promise<Socket> {
  const { connect } = await import('node:tls')
  return connect({ socket, rejectUnauthorized: false, servername: 'localhost' })
}
