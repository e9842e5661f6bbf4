/** One connection of a load, bare: no agent, no retry. Each request on it is answered, lost, declined or stuck. */
import { connect, type Socket } from 'node:net'
import * as tls from 'node:tls'
import type { Notes } from './accounts.ts'
import { ResponseReader, type Response } from './response-reader.ts'

export type Reply =
  | { readonly name: 'response'; readonly response: Response }
  | { readonly name: 'lost'; readonly within: boolean; readonly detail: string }
  | { readonly name: 'declined' }
  | { readonly name: 'garbled'; readonly detail: string }
  | { readonly name: 'stuck' }

export interface Door {
  readonly port: number
  readonly secure: boolean
}

export interface ConnectionOptions {
  /** How long a request may wait for its answer, and a connection for the server. */
  readonly patienceMs: number
  /** At most so many bytes are read in a millisecond. */
  readonly readBytesPerMs?: number
}

/** No connection came about. */
export class NotConnected extends Error {
  /** A TCP connection that ends within the handshake of TLS was taken, and is lost. */
  readonly fate: 'refused' | 'lost-before-reply' | 'stuck'

  constructor(fate: NotConnected['fate'], cause: Error) {
    super(cause.message, { cause })
    this.fate = fate
  }
}

export class Connection {
  /** When it was asked for. */
  readonly connectAt: number
  readonly socket: Socket
  readonly #reader = new ResponseReader()
  readonly #waiting: ((reply: Reply) => void)[] = []
  readonly #notes: Notes
  readonly #patienceMs: number
  #saidClose = false
  #over = false
  #onBytes: ((bytes: Buffer) => void) | undefined

  private constructor(socket: Socket, connectAt: number, notes: Notes, { patienceMs, readBytesPerMs }: ConnectionOptions) {
    this.socket = socket
    this.connectAt = connectAt
    this.#notes = notes
    this.#patienceMs = patienceMs
    socket.setNoDelay(true)
    socket.on('data', (bytes) => this.#take(bytes))
    if (readBytesPerMs !== undefined) readSlowly(socket, readBytesPerMs)
    socket.on('end', () => this.#finish())
    socket.on('close', () => this.#finish())
    socket.on('error', (error) => this.#finish(error))
  }

  /** @throws NotConnected */
  static async open({ port, secure }: Door, notes: Notes, options: ConnectionOptions): Promise<Connection> {
    const connectAt = performance.now()
    const socket = secure ? tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }) : connect(port, '127.0.0.1')
    return new Promise((resolve, reject) => {
      let fate: NotConnected['fate'] = 'refused'
      const timer = setTimeout(() => {
        fate = 'stuck'
        socket.destroy(new Error('no connection in time'))
      }, options.patienceMs)
      socket.once('connect', () => (fate = 'lost-before-reply'))
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer)
        resolve(new Connection(socket, connectAt, notes, options))
      })
      socket.once('error', (error) => {
        clearTimeout(timer)
        reject(new NotConnected(fate, error))
      })
    })
  }

  /** The server has not ended it, as far as this end can know, and has not said that it will. */
  get isUsable(): boolean {
    return !this.#over && !this.#saidClose
  }

  /** Waits for one response more. Whoever calls has written the request, or writes it now. */
  async reply(): Promise<Reply> {
    if (this.#over) return { name: 'lost', within: false, detail: 'ended before it was sent' }
    return new Promise((resolve) => {
      const settle = (reply: Reply): void => {
        clearTimeout(timer)
        resolve(reply)
      }
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(settle), 1)
        resolve({ name: 'stuck' })
        this.close()
      }, this.#patienceMs)
      this.#waiting.push(settle)
    })
  }

  /** After a 101: whatever comes now goes there; an empty piece is the end. */
  upgrade(onBytes: (bytes: Buffer) => void): void {
    this.#onBytes = onBytes
    if (this.#reader.rest.length > 0) onBytes(this.#reader.rest)
    if (this.#over) onBytes(Buffer.alloc(0))
  }

  /** From this end; nothing is noted. */
  close(): void {
    this.#over = true
    this.socket.destroy()
    for (const settle of this.#waiting.splice(0)) settle({ name: 'lost', within: false, detail: 'closed by the client' })
  }

  #take(bytes: Buffer): void {
    if (this.#onBytes !== undefined) {
      this.#onBytes(bytes)
      return
    }
    try {
      for (const response of this.#reader.take(bytes)) {
        const settle = this.#waiting.shift()
        if (settle === undefined) throw new Error('a response that nobody asked for')
        this.#saidClose ||= response.headers['connection'] === 'close'
        settle({ name: 'response', response })
      }
    } catch (error) {
      if (this.#waiting.length === 0) this.#notes.strays += 1
      for (const settle of this.#waiting.splice(0)) settle({ name: 'garbled', detail: String(error) })
      this.close()
    }
  }

  #finish(error?: Error): void {
    if (this.#over) return
    this.#over = true
    const within = this.#reader.isWithin
    const detail = error === undefined ? 'FIN' : String(error)
    this.#onBytes?.(Buffer.alloc(0))
    if (error !== undefined && this.#waiting.length === 0 && this.#onBytes === undefined) this.#notes.resets += 1
    else if (this.#waiting.length === 0) this.#notes.closes += 1
    for (const [index, settle] of this.#waiting.splice(0).entries()) {
      settle(this.#saidClose ? { name: 'declined' } : { name: 'lost', within: within && index === 0, detail })
    }
    if (error === undefined) this.socket.end()
    else this.socket.destroy()
  }
}

/** By the clock: who is late by himself makes no pause. */
function readSlowly(socket: Socket, bytesPerMs: number): void {
  let read = 0
  let since: number | undefined
  socket.on('data', (bytes) => {
    since ??= performance.now()
    read += bytes.length
    const aheadMs = read / bytesPerMs - (performance.now() - since)
    if (aheadMs < 5) return
    socket.pause()
    setTimeout(() => socket.resume(), aheadMs)
  })
}
