/** One request and its answer over HTTP/1.1: written, proven to be the right one, and entered into the book. */
import { createHash } from 'node:crypto'
import type { Settlement } from './accounts.ts'
import type { ClientContext } from './client.ts'
import { Connection, NotConnected, type ConnectionOptions, type Reply } from './connection.ts'
import type { Response } from './response-reader.ts'

/** A connection that was there, and that this process has not noticed for so long, is not used. */
const STARVED_MS = 500

export interface Request {
  readonly path: string
  /** Sent in these pieces, chunked, if there are more than one. */
  readonly pieces?: readonly Buffer[]
  /** Between two pieces. */
  readonly pauseMs?: number
  readonly headers?: Readonly<Record<string, string>>
  /** What is wrong with the answer; undefined when it is right. Without it, the answer must prove the id and the body. */
  readonly judge?: (response: Response, id: string) => string | undefined
}

/** What the fixture says about itself in each answer. */
export interface Proof {
  readonly id: string
  readonly pid: number
  readonly generation: number
  readonly hash?: string
}

/** Opens a connection, if it can; a request that could not be sent for want of one is in the book all the same. */
export async function openFor(context: ClientContext, options: Partial<ConnectionOptions> = {}): Promise<Connection | undefined> {
  const connectAt = performance.now()
  try {
    const connection = await Connection.open(context.door, context.accounts.notes, { patienceMs: context.patienceMs, ...options })
    // A server that drains ends what has sent nothing for a second. A client that starves may not count that as a loss.
    if (context.door.secure || performance.now() - connectAt < STARVED_MS) return connection
    context.accounts.notes.starved += 1
    connection.close()
    return undefined
  } catch (error) {
    if (!(error instanceof NotConnected)) throw error
    context.accounts.open(context.kind, connectAt).settle({ fate: error.fate, detail: error.message })
    await context.pause(20)
    return undefined
  }
}

/** Sends a request and waits for its answer. True when it is right. */
export async function exchange(context: ClientContext, connection: Connection, request: Request): Promise<boolean> {
  const { id, settle } = context.accounts.open(context.kind, connection.connectAt)
  const reply = connection.reply()
  const sending = write(connection, request, id)
  const settlement = judge(await reply, request, id)
  settle(settlement)
  await sending
  return settlement.fate === 'ok'
}

/** Several requests in one piece. */
export async function exchangeAll(context: ClientContext, connection: Connection, requests: readonly Request[]): Promise<void> {
  const opened = requests.map((request) => ({ request, ...context.accounts.open(context.kind, connection.connectAt), reply: connection.reply() }))
  connection.socket.write(opened.map(({ request, id }) => head(request, id)).join(''))
  await Promise.all(opened.map(async ({ request, id, settle, reply }) => settle(judge(await reply, request, id))))
}

function head({ path, pieces = [], headers = {} }: Request, id: string): string {
  const framing = pieces.length === 0 ? [] : pieces.length === 1 ? [`content-length: ${pieces[0]?.length}`] : ['transfer-encoding: chunked']
  const lines = [`${pieces.length === 0 ? 'GET' : 'POST'} ${path} HTTP/1.1`, 'host: test', `x-id: ${id}`, ...framing, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)]
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** All pieces, or those for which the connection lasts. */
async function write(connection: Connection, request: Request, id: string): Promise<void> {
  const { socket } = connection
  const { pieces = [], pauseMs = 0 } = request
  if (pieces.length < 2) {
    socket.write(Buffer.concat([Buffer.from(head(request, id)), ...pieces]))
    return
  }
  socket.write(head(request, id))
  for (const piece of pieces) {
    if (!connection.isUsable) return
    socket.write(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]))
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  if (connection.isUsable) socket.write('0\r\n\r\n')
}

function judge(reply: Reply, request: Request, id: string): Settlement {
  switch (reply.name) {
    case 'stuck':
      return { fate: 'stuck' }
    case 'declined':
      return { fate: 'declined' }
    case 'garbled':
      return { fate: 'wrong', detail: reply.detail }
    case 'lost':
      return { fate: reply.within ? 'lost-in-reply' : 'lost-before-reply', detail: reply.detail }
    case 'response':
      return judgeResponse(reply.response, request, id)
    default:
      throw new TypeError(`no such reply: ${JSON.stringify(reply satisfies never)}`)
  }
}

function judgeResponse(response: Response, { judge: own, pieces = [] }: Request, id: string): Settlement {
  const { status, body, headers } = response
  if (status >= 500) return { fate: 'error', detail: `status ${status}` }
  const proof = readProof(headers['x-proof'] ?? body.toString('latin1'))
  if (proof === undefined) return { fate: 'wrong', detail: `status ${status}, no proof: ${JSON.stringify(body.toString('latin1', 0, 80))}` }
  const { pid, generation } = proof
  const hash = createHash('sha1')
  for (const piece of pieces) hash.update(piece)
  const flaw = proof.id === id ? (own === undefined ? flawOf(status, proof, hash.digest('hex')) : own(response, id)) : `the answer to ${proof.id}`
  return flaw === undefined ? { fate: 'ok', pid, generation } : { fate: 'wrong', detail: flaw, pid, generation }
}

function flawOf(status: number, { hash }: Proof, expected: string): string | undefined {
  if (status !== 200) return `status ${status}`
  return hash === expected ? undefined : 'the body came in another way'
}

/** The first line that is JSON: of an answer, or of the first event of a stream. */
export function readProof(text: string): Proof | undefined {
  const line = text.slice(0, text.indexOf('\n') === -1 ? undefined : text.indexOf('\n')).replace(/^data: /, '')
  try {
    return JSON.parse(line) as Proof
  } catch {
    return undefined
  }
}
