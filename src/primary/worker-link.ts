/** The primary's end of the link to a worker. The worker's end is `listen/worker/worker-link.ts`, what goes over it is in `protocol/link.ts`. */
import { randomId } from '../base/random.ts'
import { makeLinkPair } from '../listen/primary/link-pair.ts'
import type { RawHandle } from '../listen/primary/raw-handle.ts'
import { Link, closeHandle } from '../protocol/link.ts'
import { parseLinkMessage } from '../protocol/guards.ts'
import type { Parcel, PrimaryLinkMessage, WorkerLinkMessage } from '../protocol/messages.ts'
import { UNREAD } from './ipc-guard.ts'

/** Answers that a worker has not read, at most; an honest one has asked for far fewer. Connections that wait for it to read do not count. */
const UNREAD_BYTES = 64 * 1024
/** What one worker may make the primary parse in one window; a flood waits in the worker. */
const WINDOW_MS = 50
const WINDOW_BYTES = 1024 * 1024
/** For the greeting. A worker that blocks its loop for longer gets another link later. */
const GREETING_MS = 2000

export interface WorkerLinkHandlers {
  /** Sends the worker its end, on Node's channel. */
  readonly introduce: (nonce: string, far: RawHandle) => void
  /** The worker can be reached. */
  readonly onOpen: () => void
  /** Whether it can is known. */
  readonly onSettled: () => void
  /** It cannot any more, or never could. */
  readonly onClosed: () => void
  readonly onMessage: (message: Exclude<WorkerLinkMessage, { readonly type: 'hello' }>, handle: RawHandle | undefined) => void
  readonly onViolation: (why: string) => void
}

type Answer = Extract<WorkerLinkMessage, { readonly type: 'took' | 'refused' }>

/** A connection of which it is not known yet that it has left. */
interface Unwritten {
  /** What was read of it, which goes with it. */
  readonly bytes: number
  /** It came all the same. */
  readonly answer: Answer | undefined
}

export class WorkerLink {
  readonly #handlers: WorkerLinkHandlers
  readonly #nonce = randomId()
  /** `coming` until the worker has said hello. */
  #state: 'coming' | 'open' | 'closed' = 'coming'
  #link: Link | undefined
  /** Ours until the worker has it. */
  #far: RawHandle | undefined
  #bytes = 0
  readonly #unwritten = new Map<number, Unwritten>()
  readonly #greeting: NodeJS.Timeout
  #timer: NodeJS.Timeout | undefined
  #onClosed: (() => void) | undefined

  constructor(handlers: WorkerLinkHandlers, makePair = makeLinkPair) {
    this.#handlers = handlers
    this.#greeting = setTimeout(() => this.#state === 'coming' && this.close(), GREETING_MS).unref()
    this.#make(makePair).catch(() => this.close())
  }

  get state(): 'coming' | 'open' | 'closed' {
    return this.#state
  }

  /** False when the worker cannot be reached. */
  deliver(parcel: Parcel, handle: RawHandle): boolean {
    if (this.#state !== 'open' || !this.#send({ type: 'connection', ...parcel }, handle, () => this.#written(parcel.seq))) return false
    this.#unwritten.set(parcel.seq, { bytes: parcel.head?.length ?? 0, answer: undefined })
    return true
  }

  /** Bytes of answers that wait for the worker to read; about. */
  get #unread(): number {
    let bytes = this.#link?.waiting ?? 0
    for (const unwritten of this.#unwritten.values()) bytes -= unwritten.bytes
    return bytes
  }

  #written(seq: number): void {
    const answer = this.#unwritten.get(seq)?.answer
    this.#unwritten.delete(seq)
    if (answer !== undefined) this.#handlers.onMessage(answer, undefined)
  }

  /** Calls back when all that the worker sent has been read, once it is gone. */
  onceClosed(callback: () => void): void {
    // Without a greeting nothing has been sent.
    if (this.#state === 'coming') this.close()
    if (this.#state === 'closed') callback()
    else this.#onClosed = callback
  }

  close(): void {
    const before = this.#state
    this.#state = 'closed'
    clearTimeout(this.#timer)
    clearTimeout(this.#greeting)
    this.#far?.close()
    this.#far = undefined
    this.#link?.close()
    if (before === 'coming') this.#handlers.onSettled()
    if (before !== 'closed') this.#handlers.onClosed()
    const callback = this.#onClosed
    this.#onClosed = undefined
    callback?.()
  }

  async #make(makePair: typeof makeLinkPair): Promise<void> {
    const pair = await makePair()
    if (pair === undefined || this.#state === 'closed') {
      pair?.near.close()
      pair?.far.close()
      this.close()
      return
    }
    this.#far = pair.far
    this.#link = new Link(pair.near, {
      onBytes: (count) => this.#throttle(count),
      onLine: (text, handle) => this.#take(text, handle),
      onEnd: () => this.close(),
      onBroken: (why) => this.#broken(why),
    })
    this.#send({ type: 'hello', nonce: this.#nonce })
    this.#handlers.introduce(this.#nonce, pair.far)
  }

  #send(message: PrimaryLinkMessage, handle?: RawHandle, written?: () => void): boolean {
    return this.#link?.send(message, handle, written) ?? false
  }

  #take(text: string, given: unknown): void {
    const message = parseLinkMessage(text)
    if (message?.type === 'hello') this.#greeted(message.nonce)
    else if (message === undefined || this.#state !== 'open') {
      closeHandle(given)
      if (message === undefined) this.#broken('a message on the link that is not of the protocol')
    } else if (message.type === 'offer') this.#fetch(message, given)
    else {
      closeHandle(given)
      // An answer may come before we are told that the connection has left; libuv must not send what was closed meanwhile.
      const unwritten = this.#unwritten.get(message.seq)
      if (unwritten !== undefined) this.#unwritten.set(message.seq, { ...unwritten, answer: message })
      else this.#handlers.onMessage(message, undefined)
    }
  }

  /** What the worker had before is now ours, or is not: it must know before anybody else gets it. */
  #fetch(message: Extract<WorkerLinkMessage, { readonly type: 'offer' }>, given: unknown): void {
    const handle = isConnection(given) ? given : undefined
    if (handle === undefined) closeHandle(given)
    this.#send({ type: 'fetched', seq: message.seq, ok: handle !== undefined })
    if (this.#unread > UNREAD_BYTES) this.#broken(UNREAD)
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

  #throttle(bytes: number): void {
    this.#bytes += bytes
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#bytes = 0
      this.#link?.resume()
    }, WINDOW_MS).unref()
    if (this.#bytes >= WINDOW_BYTES) this.#link?.pause()
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
