/**
 * Listens for the control server, and costs nothing until somebody comes: then the server itself is loaded. In the
 * bundles of the command and of the library; everything that speaks HTTP is in `server.ts`.
 */
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { claim, type Claim, type ClaimWish } from './claim.ts'
import type { Way } from './ports.ts'
import type { ControlServer } from './server.ts'

const BACKLOG = 511

export class Doorway {
  readonly #load: () => ControlServer
  readonly #warn: (text: string) => void
  readonly #listening = new Map<Way, Server>()
  #server: ControlServer | undefined
  #claim: Claim | undefined

  /** @param load makes the server, once */
  constructor(load: () => ControlServer, warn: (text: string) => void) {
    this.#load = load
    this.#warn = warn
  }

  /** @throws Error with a sentence that says why it cannot */
  async openUnix(wish: ClaimWish): Promise<Claim> {
    const server = this.#listener('unix')
    this.#claim = await claim(server, wish)
    return this.#claim
  }

  /** @throws Error of listen(2) */
  async openTcp(host: string, port: number): Promise<AddressInfo> {
    const server = this.#listener('tcp')
    server.listen({ host, port, backlog: BACKLOG })
    await once(server, 'listening')
    return server.address() as AddressInfo
  }

  /** Nobody else comes in this way; who is here may stay. */
  shutTcp(): void {
    this.#listening.get('tcp')?.close()
    this.#listening.delete('tcp')
  }

  /** Ends all; who is being answered has a moment. */
  async close(): Promise<void> {
    this.#claim?.release()
    for (const server of this.#listening.values()) server.close()
    this.#listening.clear()
    await this.#server?.close()
  }

  #listener(way: Way): Server {
    const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => this.#take(socket, way))
    // What is wrong with one connection is no reason to listen no more.
    server.on('error', () => {})
    this.#listening.set(way, server)
    return server.unref()
  }

  #take(socket: Socket, way: Way): void {
    try {
      this.#server ??= this.#load()
      this.#server.take(socket, way)
    } catch (error) {
      socket.destroy()
      this.#warn(`the control server cannot be loaded: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}

/** The token of a file that only its owner may read; a new one where there is none to be kept. */
export function keepToken(path: string, isKept: boolean, create: () => string): string {
  const before = isKept && existsSync(path) ? readFileSync(path, 'utf8').trim() : ''
  if (/^[\da-f]{32}$/.test(before)) return before
  const token = create()
  const temporary = `${path}.${process.pid}`
  writeFileSync(temporary, `${token}\n`, { mode: 0o600, flag: 'wx' })
  chmodSync(temporary, 0o600)
  renameSync(temporary, path)
  return token
}
