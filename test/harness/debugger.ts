/** A debugger, as far as a test needs one: sends commands to an inspector. Node 20 has no WebSocket. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

export interface Debugger {
  readonly send: (method: string, parameters?: object) => void
  /** Resolves when such an event has come. */
  readonly event: (method: string) => Promise<void>
  readonly end: () => void
}

/** @see RFC 6455, section 5.2: frames of a client are masked */
function frame(text: string): Buffer {
  const body = Buffer.from(text)
  const mask = randomBytes(4)
  const head = Buffer.alloc(4)
  head.writeUInt16BE(0x81_fe)
  head.writeUInt16BE(body.length, 2)
  return Buffer.concat([head, mask, body.map((byte, index) => byte ^ (mask[index % 4] ?? 0))])
}

export async function attach(url: string): Promise<Debugger> {
  const asked = request(url.replace('ws:', 'http:'), { headers: { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': randomBytes(16).toString('base64') } })
  asked.end()
  const [, socket] = (await once(asked, 'upgrade')) as [IncomingMessage, Socket]
  let text = ''
  let id = 0
  const watchers = new Set<() => void>()
  socket.on('error', () => {})
  // Events are short, and stand in one frame each: looked for as text.
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    for (const watcher of watchers) watcher()
  })
  return {
    send: (method, parameters = {}) => {
      id += 1
      socket.write(frame(JSON.stringify({ id, method, params: parameters })))
    },
    event: async (method) =>
      new Promise((resolve) => {
        const look = (): void => void (text.includes(`"method":"${method}"`) && resolve())
        watchers.add(look)
        look()
      }),
    end: () => void socket.destroy(),
  }
}
