/** Clients for TLS and HTTP/2. */
import { once } from 'node:events'
import * as http2 from 'node:http2'
import * as https from 'node:https'
import * as tls from 'node:tls'
import type { App } from './app.ts'

export interface SecureVisit {
  readonly resumedOnOther: boolean
  readonly http2Status: number
  readonly tlsText: string
}

/** Visits the servers of the fixture `secure.cjs`. */
export async function visitSecure(app: App): Promise<SecureVisit> {
  const ports = await portsOf(app)
  return {
    resumedOnOther: await resumesOnOther(app.port),
    http2Status: await statusByHttp2(ports[1] ?? 0),
    tlsText: await textByTls(ports[2] ?? 0),
  }
}

/** Ports of the fixture's four servers, in the order in which they listen. */
export async function portsOf(app: App): Promise<readonly number[]> {
  const records = await Promise.all([1, 2, 3, 4].map(async (nth) => app.event('worker:listening', ({ slot }) => slot === 0, nth)))
  return records.map((record) => Number(record['port']))
}

async function resumesOnOther(port: number): Promise<boolean> {
  let session: Buffer | undefined
  let slotOfSession: string | undefined
  for (let tries = 0; tries < 50; tries += 1) {
    const visit = await visitHttps(port, session)
    if (visit.reused && slotOfSession !== undefined && visit.slot !== slotOfSession) return true
    session = visit.session
    slotOfSession = visit.slot
  }
  return false
}

/** One request on a connection of its own, with the session of an earlier one if there is one. */
export async function visitHttps(port: number, session: Buffer | undefined): Promise<{ readonly slot: string; readonly reused: boolean; readonly session: Buffer | undefined }> {
  return new Promise((resolve, reject) => {
    const agent = new https.Agent({ maxCachedSessions: 0 })
    const request = https.get({ port, host: '127.0.0.1', rejectUnauthorized: false, agent, ...(session === undefined ? {} : { session }) }, (response) => {
      let latest: Buffer | undefined
      const socket = response.socket as tls.TLSSocket
      socket.on('session', (ticket: Buffer) => {
        latest = ticket
      })
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () => {
        const { slot, reused } = JSON.parse(body) as { slot: string; reused: boolean }
        resolve({ slot, reused, session: latest ?? socket.getSession() })
      })
    })
    request.on('error', reject)
  })
}

async function statusByHttp2(port: number): Promise<number> {
  const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
  const stream = session.request({ ':path': '/' })
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & { ':status': number }]
  stream.resume()
  await once(stream, 'end')
  session.close()
  return headers[':status']
}

async function textByTls(port: number): Promise<string> {
  const socket = tls.connect(port, '127.0.0.1', { rejectUnauthorized: false })
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  return String(bytes)
}
