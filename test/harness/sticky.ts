/** Clients of the fixture `sticky.cjs`: they find out who belongs to which worker, and speak HTTP byte by byte. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { get, type Response } from './http.ts'

export type Target = Parameters<typeof get>[0]

/** What `/` of the fixture tells. */
export interface Seen {
  readonly slot: string
  readonly pid: number
  readonly remoteAddress?: string
  readonly remotePort?: number
  readonly localPort?: number
  readonly raw: number
  readonly count: number | null
  readonly body: string
  readonly trailers: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
}

export function seen({ status, body }: Pick<Response, 'status' | 'body'>): Seen {
  assert.equal(status, 200, body)
  return JSON.parse(body) as Seen
}

/** One request of its own connection. */
export async function visit(target: Target, headers: Readonly<Record<string, string>> = {}, path = '/'): Promise<Seen> {
  return seen(await get(target, path, headers))
}

export const client = (name: string): Readonly<Record<string, string>> => ({ 'x-client': name })

/** The slot of each client, as connections of their own show it. */
export async function slotsOf(target: Target, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  return new Map(await Promise.all(names.map(async (name) => [name, (await visit(target, client(name))).slot] as const)))
}

/** One client of each of so many slots, by slot. */
export async function clientsBySlot(target: Target, slots: number): Promise<readonly string[]> {
  const found: string[] = []
  for (let index = 0; found.filter(Boolean).length < slots; index += 1) {
    assert.ok(index < 200, 'no slot goes without clients')
    const name = `client-${index}`
    const { slot } = await visit(target, client(name))
    found[Number(slot)] ??= name
  }
  return found
}

/** A connection whose bytes a test writes and reads itself. */
export class Wire {
  readonly socket: Socket
  text = ''
  ended = false
  #wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      this.text += chunk
      this.#wake()
    })
    const over = (): void => {
      this.ended = true
      this.#wake()
    }
    socket.on('end', over)
    socket.on('close', over)
    socket.on('error', over)
  }

  static async open(t: TestContext, target: Target & { readonly localAddress?: string }): Promise<Wire> {
    const socket = connect({ host: '127.0.0.1', ...target } as Parameters<typeof connect>[0] & object)
    t.after(() => socket.destroy())
    await once(socket, 'connect')
    return new Wire(socket)
  }

  write(text: string): this {
    this.socket.write(text, 'latin1')
    return this
  }

  /** Waits until what has come matches. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.text)
      if (match !== null) return match
      assert.ok(!this.ended, `ended without ${pattern}:\n${this.text}`)
      await this.#change()
    }
  }

  /** All that came until the end. */
  async all(): Promise<string> {
    while (!this.ended) await this.#change()
    return this.text
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }
}

/** A head, and a body if it is given one. */
export function head(line: string, name: string, fields: readonly string[] = []): string {
  return `${[`${line} HTTP/1.1`, 'host: test', `x-client: ${name}`, ...fields].join('\r\n')}\r\n\r\n`
}
