/** The worker's end of the link. The primary's end is `primary/worker-link.ts`, what goes over it is in `protocol/link.ts`. */
import { Link, PASSES_HANDLES, closeHandle, type LinkPipe, type PipeClass } from '../../protocol/link.ts'
import { LINK_COMMAND, type Parcel, type PrimaryLinkMessage, type WorkerLinkMessage } from '../../protocol/messages.ts'
import type { ClientHandle } from './handles.ts'

export interface WorkerLink {
  readonly isOpen: () => boolean
  /** False when it cannot be sent. */
  readonly send: (message: WorkerLinkMessage, client?: ClientHandle) => boolean
  readonly on: (handlers: WorkerLinkHandlers) => void
}

export interface WorkerLinkHandlers {
  /** A connection from another worker, or from the primary; undefined when it has got lost on its way. */
  readonly connection: (parcel: Parcel, client: ClientHandle | undefined) => void
  readonly fetched: (seq: number, ok: boolean) => void
  /** No answer will come any more. */
  readonly ended: () => void
}

function parse(text: string): PrimaryLinkMessage | undefined {
  try {
    return JSON.parse(text) as PrimaryLinkMessage
  } catch {
    return undefined
  }
}

/** Until the primary sends it there is none, and where it cannot there never is: then each worker keeps what it accepts. */
export function openWorkerLink(): WorkerLink {
  let link: Link | undefined
  let isOpen = false
  let handlers: WorkerLinkHandlers | undefined

  const ended = (): void => {
    link?.close()
    link = undefined
    const wasOpen = isOpen
    isOpen = false
    if (wasOpen) handlers?.ended()
  }
  const take = (text: string, handle: unknown, nonce: string): void => {
    const message = parse(text)
    if (!isOpen) {
      // Whoever is on the other end: it must know what came on Node's channel.
      closeHandle(handle)
      if (message?.type === 'hello' && message.nonce === nonce) isOpen = link?.send({ type: 'hello', nonce }) ?? false
      else ended()
    } else if (message?.type === 'connection') handlers?.connection(message, handle as ClientHandle | undefined)
    else if (message?.type === 'fetched') handlers?.fetched(message.seq, message.ok)
  }
  const open = (received: LinkPipe, nonce: string): void => {
    // As it comes it cannot pass handles. It stays as it is, and unread: both have the one descriptor, until the process ends.
    const pipe = new (received.constructor as PipeClass)(PASSES_HANDLES)
    const { fd } = received as unknown as { readonly fd: number }
    received.unref()
    if (pipe.open(fd) !== 0) return
    link = new Link(pipe, { onLine: (text, handle) => take(text, handle, nonce), onEnd: ended, onBroken: ended })
  }

  process.on('internalMessage' as 'message', (message: unknown, handle: unknown) => {
    const { cmd, nonce } = message as { readonly cmd?: unknown; readonly nonce?: unknown }
    if (cmd !== LINK_COMMAND) return
    if (link !== undefined || handle === undefined || typeof nonce !== 'string') closeHandle(handle)
    else open(handle as LinkPipe, nonce)
  })
  return {
    isOpen: () => isOpen,
    send: (message, client) => link?.send(message, client) ?? false,
    on(given) {
      handlers = given
    },
  }
}
