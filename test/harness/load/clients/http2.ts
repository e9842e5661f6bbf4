import * as http2 from 'node:http2'
import type { Settlement } from '../accounts.ts'
import type { Client, ClientContext } from '../client.ts'
import { readProof } from '../exchange.ts'

const STREAMS = 5
const THINK_MS = 100

interface Session {
  readonly session: http2.ClientHttp2Session
  readonly connectAt: number
  connected: boolean
}

/** Several streams at once on one session. It obeys GOAWAY: what comes later goes to a new session. */
export const http2Streams: Client = async (context) => {
  let current: Session | undefined
  const open = (): Session => {
    const session = http2.connect(`https://127.0.0.1:${context.http2Port}`, { rejectUnauthorized: false })
    const opened: Session = { session, connectAt: performance.now(), connected: false }
    const leave = (): void => {
      if (current === opened) current = undefined
    }
    session.once('connect', () => (opened.connected = true))
    for (const event of ['goaway', 'error', 'close']) session.on(event, leave)
    return opened
  }
  const lane = async (): Promise<void> => {
    while (!context.isOver()) {
      current ??= open()
      await ask(context, current)
      await context.pause(context.random.between(0, THINK_MS))
    }
  }
  await Promise.all(Array.from({ length: STREAMS }, lane))
  current?.session.close()
}

async function ask(context: ClientContext, { session, connectAt, connected }: Session): Promise<void> {
  const { id, settle } = context.accounts.open(context.kind, connectAt)
  const stream = session.request({ ':path': `/?ms=${context.random.pick([0, 0, 0, 50])}`, 'x-id': id })
  const pieces: Buffer[] = []
  let status: number | undefined
  let ended = false
  let failure = ''
  let isStuck = false
  const timer = setTimeout(() => {
    isStuck = true
    stream.close(http2.constants.NGHTTP2_CANCEL)
  }, context.patienceMs)
  stream.on('response', (headers) => (status = headers[':status']))
  stream.on('data', (piece: Buffer) => pieces.push(piece))
  stream.on('end', () => (ended = true))
  stream.on('error', (error: NodeJS.ErrnoException) => (failure = error.code ?? error.message))
  await new Promise((resolve) => stream.once('close', resolve))
  clearTimeout(timer)
  const detail = `status ${status}, code ${stream.rstCode}, ${failure}`
  if (isStuck) settle({ fate: 'stuck' })
  else if (status === undefined && isDeclined(stream, failure)) settle({ fate: 'declined', detail })
  else if (failure === 'ECONNREFUSED' && !connected) settle({ fate: 'refused', detail })
  else if (status === undefined) settle({ fate: 'lost-before-reply', detail })
  else if (!ended || failure !== '') settle({ fate: 'lost-in-reply', detail })
  else settle(judge(status, Buffer.concat(pieces).toString('latin1'), id))
}

/** Node turns streams above the last one that GOAWAY names into refused ones. */
function isDeclined(stream: http2.ClientHttp2Stream, failure: string): boolean {
  return stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM || failure === 'ERR_HTTP2_GOAWAY_SESSION'
}

function judge(status: number, body: string, id: string): Settlement {
  const proof = readProof(body)
  if (status >= 500) return { fate: 'error', detail: `status ${status}` }
  if (status !== 200 || proof === undefined || proof.id !== id) return { fate: 'wrong', detail: `status ${status}, ${body.slice(0, 80)}` }
  return { fate: 'ok', pid: proof.pid, generation: proof.generation }
}
