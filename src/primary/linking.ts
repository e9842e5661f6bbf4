/** Keeps one worker linked, as long as connections may be sent to it. One link is `worker-link.ts`. */
import { makeLinkPair } from '../listen/primary/link-pair.ts'
import type { RawHandle } from '../listen/primary/raw-handle.ts'
import type { Parcel } from '../protocol/messages.ts'
import { WorkerLink, type WorkerLinkHandlers } from './worker-link.ts'

/** After a link that could not be made, or has broken: hardly any descriptor was left, or the worker did not answer. */
const AGAIN_MS = 5000

export interface LinkingPorts extends Pick<WorkerLinkHandlers, 'introduce' | 'onMessage' | 'onViolation'> {
  /** Node's channel to the worker is open. Without it there is no link: the app has called process.disconnect(). */
  readonly isConnected: () => boolean
  /** Connections can be sent to it from now on. */
  readonly onLinked: () => void
  /** They cannot: not any more, or not yet after all. */
  readonly onUnlinked: () => void
}

export class Linking {
  readonly #ports: LinkingPorts
  readonly #makePair: typeof makeLinkPair
  #link: WorkerLink | undefined
  #onSettled: (() => void) | undefined
  /** `retiring`: what is there stays, and nothing new is begun. */
  #worker: 'staying' | 'retiring' | 'gone' = 'staying'

  constructor(ports: LinkingPorts, makePair = makeLinkPair) {
    this.#ports = ports
    this.#makePair = makePair
  }

  get isLinked(): boolean {
    return this.#link?.state === 'open'
  }

  /** No connection can be sent yet, but soon. */
  get isComing(): boolean {
    if (this.#worker === 'gone' || !this.#ports.isConnected()) return false
    return this.#link === undefined || this.#link.state === 'coming'
  }

  /** Makes a link, unless there is one or the worker is about to go. */
  begin(): void {
    if (this.#worker !== 'staying' || (this.#link !== undefined && this.#link.state !== 'closed') || !this.#ports.isConnected()) return
    const { introduce, onMessage, onViolation, onLinked } = this.#ports
    this.#link = new WorkerLink({ introduce, onMessage, onViolation, onOpen: onLinked, onSettled: () => this.#settled(), onClosed: () => this.#closed() }, this.#makePair)
  }

  /** Calls back when connections can be sent, or it is known that they cannot; at once if that was before, or nobody wants to. */
  whenSettled(callback: () => void): void {
    if (this.#link?.state === 'coming') this.#onSettled = callback
    else callback()
  }

  /** Sends a connection; false when the worker cannot be reached. */
  deliver(parcel: Parcel, handle: RawHandle): boolean {
    return this.#worker !== 'gone' && (this.#link?.deliver(parcel, handle) ?? false)
  }

  /** Node's channel is closed: its end, if it has not come yet, never will. */
  disconnected(): void {
    if (this.#link?.state === 'coming') this.#link.close()
  }

  /** The worker drains. */
  retire(): void {
    if (this.#worker === 'staying') this.#worker = 'retiring'
  }

  /** The worker has ended. */
  gone(): void {
    this.#worker = 'gone'
  }

  /** Calls back when all that a worker that has ended had sent has been read. */
  onceClosed(callback: () => void): void {
    if (this.#link === undefined) callback()
    else this.#link.onceClosed(callback)
  }

  /** Whatever has not been read is of no use any more. */
  close(): void {
    this.#link?.close()
  }

  #settled(): void {
    const callback = this.#onSettled
    this.#onSettled = undefined
    if (this.#worker === 'staying') callback?.()
  }

  #closed(): void {
    if (this.#worker === 'gone') return
    this.#ports.onUnlinked()
    setTimeout(() => this.begin(), AGAIN_MS).unref()
  }
}
