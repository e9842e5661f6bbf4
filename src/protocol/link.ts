/**
 * The way of connections between the primary and a worker: a pair of unix sockets whose both ends can pass handles, with
 * a line of JSON for each message. Node's own IPC channel could do it, but sends one handle at a time, waits for an answer
 * to each, and shares all of that with the app (docs/decisions/0013).
 *
 * A handle belongs to the last line that begins in the bytes it came with, since the kernel ends a read behind
 * them. So a handle that is lost, as the receiver has no descriptor left, is missed at its own line and not at the next.
 *
 * @see unix(7), SCM_RIGHTS; net/unix/af_unix.c, unix_stream_read_generic; lib/internal/child_process.js, setupChannel
 */
import { Socket } from 'node:net'
import { readerOf, type CountingHandle } from './read-bytes.ts'

const NEWLINE = 10

interface WriteRequest {
  oncomplete?: (status: number) => void
}

/** A Pipe handle of Node's that was made for passing handles. */
export interface LinkPipe extends CountingHandle {
  readonly writeQueueSize: number
  pendingHandle?: unknown
  onread: (bytes?: ArrayBuffer) => void
  readStart(): number
  readStop(): number
  /** Returns a negative errno, 0, or the request that it has made itself. */
  writeUtf8String(request: WriteRequest | null, text: string, handle?: unknown): number | WriteRequest
  open(fd: number): number
  ref(): void
  unref(): void
  close(done?: () => void): void
}

/** The class of {@link LinkPipe}; its own argument says what it is for. */
export type PipeClass = new (purpose: typeof PASSES_HANDLES) => LinkPipe

/** `PipeConstants.IPC` (src/pipe_wrap.cc). */
export const PASSES_HANDLES = 2

/** Longest line: up to 80 kB that were read of a connection (a head, and the 64 kB that one read may give), as base64. */
export const LINK_LINE_BYTES = 128 * 1024

export interface LinkHandlers {
  /** So many bytes have come; before what they say is told. */
  readonly onBytes?: (count: number) => void
  /** A message, not yet parsed, with what came with it. */
  readonly onLine: (text: string, handle: unknown) => void
  /** The other end is gone, or this one could not be written to. Called once, and not after {@link Link.close}. */
  readonly onEnd: () => void
  /** What came cannot be honest. The link is of no use any more. */
  readonly onBroken: (why: string) => void
}

interface Begun {
  readonly bytes: Buffer[]
  length: number
  readonly handle: unknown
}

/** One end. It never keeps a process alive. */
export class Link {
  readonly #pipe: LinkPipe
  readonly #handlers: LinkHandlers
  readonly #makeRequest = requestMaker()
  #begun: Begun | undefined
  /** Something has come since the last end of file. */
  #isFresh = true
  #closed = false

  constructor(pipe: LinkPipe, handlers: LinkHandlers) {
    this.#pipe = pipe
    this.#handlers = handlers
    const bufferOf = readerOf(pipe)
    pipe.onread = (bytes) => {
      const handle = pipe.pendingHandle
      pipe.pendingHandle = undefined
      if (bytes !== undefined) this.#take(bufferOf(bytes), handle)
      // With a descriptor a read ends early, and libuv takes that for all there is when the other end is closed: what lies behind is asked for.
      else if (this.#isFresh && !this.#closed && pipe.readStart() === 0) this.#isFresh = false
      else this.#end()
    }
    pipe.unref()
    pipe.readStart()
  }

  /** Bytes that wait to be written. */
  get waiting(): number {
    return this.#pipe.writeQueueSize
  }

  /**
   * False: it cannot be sent. The handle stays open here, and must until the other end has it.
   *
   * @param written called when a message with a handle has left, and not if it never does
   */
  send(message: object, handle?: unknown, written?: () => void): boolean {
    if (this.#closed) return false
    const given = this.#makeRequest()
    const result = this.#pipe.writeUtf8String(given, `${JSON.stringify(message)}\n`, handle)
    const request = given ?? (typeof result === 'object' ? result : undefined)
    if (request !== undefined) {
      request.oncomplete = (status) => {
        if (status < 0) this.#end()
        else written?.()
      }
    }
    return typeof result === 'object' || result === 0
  }

  pause(): void {
    if (!this.#closed) this.#pipe.readStop()
  }

  resume(): void {
    if (!this.#closed) this.#pipe.readStart()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    closeHandle(this.#begun?.handle)
    this.#begun = undefined
    this.#pipe.close()
  }

  #end(): void {
    if (this.#closed) return
    this.close()
    this.#handlers.onEnd()
  }

  #break(why: string, handle: unknown): void {
    closeHandle(handle)
    this.#handlers.onBroken(why)
  }

  #take(chunk: Buffer, handle: unknown): void {
    this.#isFresh = true
    this.#handlers.onBytes?.(chunk.length)
    const lastStart = this.#lastStart(chunk)
    if (handle !== undefined && lastStart === undefined) {
      this.#break('a handle in the middle of a line', handle)
      return
    }
    let start = 0
    while (start < chunk.length && !this.#closed) {
      const end = chunk.indexOf(NEWLINE, start)
      const piece = chunk.subarray(start, end === -1 ? undefined : end)
      const line: Begun = this.#begun ?? { bytes: [], length: 0, handle: start === lastStart ? handle : undefined }
      line.bytes.push(piece)
      line.length += piece.length
      if (line.length > LINK_LINE_BYTES) {
        this.#begun = undefined
        this.#break('a line of more than 128 kB on the link', line.handle)
        return
      }
      this.#begun = end === -1 ? line : undefined
      if (end === -1) return
      start = end + 1
      this.#handlers.onLine((line.bytes.length === 1 ? piece : Buffer.concat(line.bytes)).toString(), line.handle)
    }
  }

  /** Where the last line begins that begins in these bytes. */
  #lastStart(chunk: Buffer): number | undefined {
    // Not counted: the newline that ends the last line of all.
    const at = chunk.length < 2 ? -1 : chunk.lastIndexOf(NEWLINE, chunk.length - 2)
    if (at !== -1) return at + 1
    return this.#begun === undefined ? 0 : undefined
  }
}

type MakeRequest = () => WriteRequest | null

let known: MakeRequest | undefined

/** What `net.Socket` writes with, which its streams call. */
interface GenericWriter {
  _writeGeneric(isMany: false, data: string, encoding: 'latin1', written: () => void): void
}

/**
 * What libuv's binding wants with each write: a request, or nothing where it makes it itself (Node 26). net.js knows,
 * so something with as little of a socket as it needs is written to, once. A whole one takes 3 ms of a worker's start.
 *
 * @see lib/net.js, Socket.prototype._writeGeneric; lib/internal/stream_base_commons.js, writeGeneric
 */
function requestMaker(): MakeRequest {
  if (known !== undefined) return known
  const writeLatin1String = (request: WriteRequest | null): number => {
    const Request = request?.constructor as (new () => WriteRequest) | undefined
    known = Request === undefined ? () => null : () => new Request()
    return 0
  }
  const socket = Object.create(Socket.prototype) as GenericWriter
  Object.assign(socket, { _parent: null, _handle: { writeLatin1String, getAsyncId: () => 0 } })
  socket._writeGeneric(false, '-', 'latin1', () => {})
  if (known === undefined) throw new Error('net.Socket does not write as everycore knows it')
  return known
}

/** Closes what came, of whatever kind it is. */
export function closeHandle(handle: unknown): void {
  ;(handle as { readonly close?: () => void } | undefined)?.close?.()
}
