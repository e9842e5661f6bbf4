/** The primary's end of the link to a worker. The worker's end is `listen/worker/worker-link.ts`, what goes over it is in `protocol/link.ts`. */
import { randomBytes } from 'node:crypto'
import { makeLinkPair } from '../listen/primary/link-pair.ts'
import type { RawHandle } from '../listen/primary/raw-handle.ts'
import { Link, closeHandle } from '../protocol/link.ts'
import { parseLinkMessage } from '../protocol/guards.ts'
import type { Parcel, PrimaryLinkMessage, WorkerLinkMessage } from '../protocol/messages.ts'
import { UNREAD } from './ipc-guard.ts'

/** Answers that a worker has not read, at most; an honest one has asked for far fewer. */
const UNREAD_BYTES = 64 * 1024
/** What one worker may make the primary parse in one window; a flood waits in the worker. */
const WINDOW_MS = 50
const WINDOW_LINES = 4096

export interface WorkerLinkHandlers {
  /** Sends the worker its end, on Node's channel. */
  readonly introduce: (nonce: string, far: RawHandle) => void
  /** The worker can be reached. */
  readonly onOpen: () => void
  /** Whether it can is known. */
  readonly onSettled: () => void
  readonly onMessage: (message: Exclude<WorkerLinkMessage, { readonly type: 'hello' }>, handle: RawHandle | undefined) => void
  readonly onViolation: (why: string) => void
}

export class WorkerLink {
  readonly #handlers: WorkerLinkHandlers
  readonly #nonce = randomBytes(16).toString('hex')
  /** `coming` until the worker has said hello. */
  #state: 'coming' | 'open' | 'closed' = 'coming'
  #link: Link | undefined
  /** Ours until the worker has it. */
  #far: RawHandle | undefined
  #lines = 0
  #timer: NodeJS.Timeout | undefined

  constructor(handlers: WorkerLinkHandlers) {
    this.#handlers = handlers
    void this.#make()
  }

  get state(): 'coming' | 'open' | 'closed' {
    return this.#state
  }

  /** False when the worker cannot be reached. */
  deliver(parcel: Parcel, handle: RawHandle): boolean {
    return this.#state === 'open' && this.#send({ type: 'connection', ...parcel }, handle)
  }

  close(): void {
    const wasComing = this.#state === 'coming'
    this.#state = 'closed'
    clearTimeout(this.#timer)
    this.#far?.close()
    this.#far = undefined
    this.#link?.close()
    if (wasComing) this.#handlers.onSettled()
  }

  async #make(): Promise<void> {
    const pair = await makeLinkPair()
    if (pair === undefined || this.#state === 'closed') {
      pair?.near.close()
      pair?.far.close()
      this.close()
      return
    }
    this.#far = pair.far
    this.#link = new Link(pair.near, {
      onLine: (text, handle) => this.#take(text, handle),
      onEnd: () => this.close(),
      onBroken: (why) => this.#broken(why),
    })
    this.#send({ type: 'hello', nonce: this.#nonce })
    this.#handlers.introduce(this.#nonce, pair.far)
  }

  #send(message: PrimaryLinkMessage, handle?: RawHandle): boolean {
    return this.#link?.send(message, handle) ?? false
  }

  #take(text: string, given: unknown): void {
    const message = parseLinkMessage(text)
    this.#throttle()
    if (message?.type === 'hello') this.#greeted(message.nonce)
    else if (message === undefined || this.#state !== 'open') {
      closeHandle(given)
      if (message === undefined) this.#broken('a message on the link that is not of the protocol')
    } else if (message.type === 'offer') this.#fetch(message, given)
    else {
      closeHandle(given)
      this.#handlers.onMessage(message, undefined)
    }
  }

  /** What the worker had before is now ours, or is not: it must know before anybody else gets it. */
  #fetch(message: Extract<WorkerLinkMessage, { readonly type: 'offer' }>, given: unknown): void {
    const handle = isConnection(given) ? given : undefined
    if (handle === undefined) closeHandle(given)
    this.#send({ type: 'fetched', seq: message.seq, ok: handle !== undefined })
    if ((this.#link?.waiting ?? 0) > UNREAD_BYTES) this.#broken(UNREAD)
    if (handle !== undefined) this.#handlers.onMessage(message, handle)
  }

  #greeted(nonce: string): void {
    if (this.#state !== 'coming' || nonce !== this.#nonce) return
    this.#far?.close()
    this.#far = undefined
    this.#state = 'open'
    this.#handlers.onOpen()
    this.#handlers.onSettled()
  }

  #throttle(): void {
    this.#lines += 1
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#lines = 0
      this.#link?.resume()
    }, WINDOW_MS).unref()
    if (this.#lines >= WINDOW_LINES) this.#link?.pause()
  }

  #broken(why: string): void {
    if (this.#state === 'closed') return
    this.close()
    this.#handlers.onViolation(why)
  }
}

/** A TCP or Pipe handle, and no UDP socket. */
function isConnection(handle: unknown): handle is RawHandle {
  return typeof handle === 'object' && handle !== null && 'readStart' in handle && 'close' in handle
}
