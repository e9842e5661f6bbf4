import { createHash } from 'node:crypto'
import type { Client, ClientContext } from '../client.ts'
import type { Connection } from '../connection.ts'
import { exchange, openFor } from '../exchange.ts'

const THINK_MS = 100
/** RFC 6455, 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/**
 * Numbered texts over WebSockets, each sent back. The request is the handshake. A text that is under way when its connection
 * ends is cut, as the manual says; but no frame may come in part, and the next handshake is answered.
 */
export const webSocket: Client = async (context) => {
  while (!context.isOver()) {
    const connection = await openFor(context)
    if (connection === undefined) continue
    if (await shakeHands(context, connection)) await converse(context, connection)
    connection.close()
  }
}

async function shakeHands(context: ClientContext, connection: Connection): Promise<boolean> {
  const key = Buffer.from(String(context.random.fraction()).padEnd(16, '0').slice(0, 16)).toString('base64')
  const accept = createHash('sha1').update(key + GUID).digest('base64')
  return exchange(context, connection, {
    path: '/',
    headers: { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': key },
    judge: ({ status, headers }) => (status === 101 && headers['sec-websocket-accept'] === accept ? undefined : `status ${status}, accept ${headers['sec-websocket-accept']}`),
  })
}

async function converse(context: ClientContext, connection: Connection): Promise<void> {
  const { notes } = context.accounts
  const incoming = readTexts(connection)
  for (let number = 1; !context.isOver(); number += 1) {
    const text = `text ${number}`
    if (!connection.isUsable) return
    connection.socket.write(frameOf(text))
    const answer = await incoming()
    if (answer === undefined) {
      notes.textsCut += 1
      return
    }
    notes.texts += 1
    if (answer !== text) notes.strays += 1
    await context.pause(context.random.between(0, THINK_MS))
  }
}

/** The next text; undefined at the end. Half a frame at the end is a text of its own, which nobody sent. */
function readTexts(connection: Connection): () => Promise<string | undefined> {
  const texts: (string | undefined)[] = []
  let rest = Buffer.alloc(0)
  let wake: (() => void) | undefined
  connection.upgrade((bytes) => {
    rest = Buffer.concat([rest, bytes])
    while (rest.length >= 2 && rest.length >= 2 + (rest[1] ?? 0)) {
      const length = rest[1] ?? 0
      texts.push(rest.toString('latin1', 2, 2 + length))
      rest = rest.subarray(2 + length)
    }
    if (bytes.length === 0) texts.push(...(rest.length > 0 ? ['half a frame'] : []), undefined)
    wake?.()
  })
  return async () => {
    while (texts.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return texts.shift()
  }
}

/** A text frame of a client. The mask of zeros changes nothing and is allowed to. */
function frameOf(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])
}
