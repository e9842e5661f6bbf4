/** A client on bare sockets: no agent, no retry, no hidden reconnect. Every request has exactly one fate. */
import { connect, type Socket } from 'node:net'

export interface Response {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What became of a request. */
export type Fate = 'ok' | 'refused' | 'lost-before-reply' | 'lost-in-reply'

export class RequestLost extends Error {
  readonly fate: Exclude<Fate, 'ok'>

  constructor(fate: Exclude<Fate, 'ok'>, cause?: unknown) {
    super(`request ${fate}`, { cause })
    this.fate = fate
  }
}

type Target = { readonly port: number; readonly host?: string } | { readonly path: string }

/** One connection, used for one request after the other. */
export class Connection {
  readonly socket: Socket
  #received = Buffer.alloc(0)
  #ended = false
  #failure: Error | undefined
  #wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake()
    })
    socket.on('end', () => this.#finish())
    socket.on('close', () => this.#finish())
    socket.on('error', (error) => {
      this.#failure = error
      this.#finish()
    })
  }

  static async open(target: Target): Promise<Connection> {
    const socket = 'path' in target ? connect(target.path) : connect(target.port, target.host ?? '127.0.0.1')
    return new Promise((resolve, reject) => {
      socket.once('connect', () => resolve(new Connection(socket)))
      socket.once('error', (error) => reject(new RequestLost('refused', error)))
    })
  }

  /** True once the server has closed its side. */
  get ended(): boolean {
    return this.#ended
  }

  /** Set when the connection was reset and not closed. */
  get failure(): Error | undefined {
    return this.#failure
  }

  send(path: string, { method = 'GET', headers = {}, body = '' }: { readonly method?: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {}): void {
    const lines = [`${method} ${path} HTTP/1.1`, ...Object.entries({ host: 'test', ...headers }).map(([name, value]) => `${name}: ${value}`)]
    if (body !== '') lines.push(`content-length: ${Buffer.byteLength(body)}`)
    this.socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`)
  }

  /** Reads one response. */
  async receive(): Promise<Response> {
    for (;;) {
      const response = this.#parse()
      if (response !== undefined) return response
      if (this.#ended) throw new RequestLost(this.#received.length === 0 ? 'lost-before-reply' : 'lost-in-reply', this.#failure)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async request(path: string, options?: Parameters<Connection['send']>[1]): Promise<Response> {
    this.send(path, options)
    return this.receive()
  }

  /** Resolves when the server has closed its side. */
  async closed(): Promise<void> {
    while (!this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  close(): void {
    this.socket.destroy()
  }

  #finish(): void {
    this.#ended = true
    this.#wake()
  }

  #parse(): Response | undefined {
    const end = this.#received.indexOf('\r\n\r\n')
    if (end === -1) return undefined
    const [statusLine = '', ...lines] = this.#received.toString('latin1', 0, end).split('\r\n')
    const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]))
    const status = Number(statusLine.split(' ')[1])
    const start = end + 4
    if (status === 101 || status === 204 || status === 304) return this.#take(start, { status, headers, body: '' })
    if (headers['transfer-encoding'] === 'chunked') return this.#parseChunked(start, status, headers)
    const length = Number(headers['content-length'] ?? 0)
    if (this.#received.length < start + length) return undefined
    return this.#take(start + length, { status, headers, body: this.#received.toString('utf8', start, start + length) })
  }

  #parseChunked(start: number, status: number, headers: Response['headers']): Response | undefined {
    const parts: Buffer[] = []
    for (let at = start; ; ) {
      const lineEnd = this.#received.indexOf('\r\n', at)
      if (lineEnd === -1) return undefined
      const size = Number.parseInt(this.#received.toString('latin1', at, lineEnd), 16)
      const next = lineEnd + 2 + size + 2
      if (this.#received.length < next) return undefined
      if (size === 0) return this.#take(next, { status, headers, body: Buffer.concat(parts).toString('utf8') })
      parts.push(this.#received.subarray(lineEnd + 2, lineEnd + 2 + size))
      at = next
    }
  }

  #take(upTo: number, response: Response): Response {
    this.#received = this.#received.subarray(upTo)
    return response
  }
}

/** One request on a connection of its own. */
export async function get(target: Target, path = '/', headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const connection = await Connection.open(target)
  try {
    return await connection.request(path, { headers: { connection: 'close', ...headers } })
  } finally {
    connection.close()
  }
}
