/**
 * Framing of the control pipe: `u32 little-endian length | u8 kind | body`. The length counts kind and
 * body. It is checked before anything is buffered or parsed, so that no claim about a size can cost memory.
 */

/** Largest frame in bytes. An app message above it is refused in the process that sends it. */
export const MAX_FRAME_BYTES = 1024 * 1024

/** What a body holds: our own message, or an app's message that only the receiver's app understands. Both are JSON. */
export const FRAME = { control: 0, app: 1 } as const

export type FrameKind = (typeof FRAME)[keyof typeof FRAME]

export interface Frame {
  readonly kind: FrameKind
  readonly body: string
}

const HEAD_BYTES = 4

/** Returns the bytes of a frame, or undefined when the body is larger than {@link MAX_FRAME_BYTES}. */
export function encodeFrame(kind: FrameKind, body: string): Buffer | undefined {
  const length = Buffer.byteLength(body) + 1
  if (length > MAX_FRAME_BYTES) return undefined
  const frame = Buffer.allocUnsafe(HEAD_BYTES + length)
  frame.writeUInt32LE(length, 0)
  frame[HEAD_BYTES] = kind
  frame.write(body, HEAD_BYTES + 1)
  return frame
}

/** Takes bytes in pieces of any size and gives back whole frames. */
export class FrameDecoder {
  #chunks: Buffer[] = []
  #bytes = 0
  /** Bytes that must be there before looking again is worth it; keeps large frames linear. */
  #wanted = HEAD_BYTES

  /** Calls `onFrame` for each frame that is complete. Returns false as soon as the stream broke the format; then it must be closed. */
  push(chunk: Buffer, onFrame: (frame: Frame) => void): boolean {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes < this.#wanted) return true
    let buffer = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks)
    while (buffer.length >= HEAD_BYTES) {
      const length = buffer.readUInt32LE(0)
      if (length < 1 || length > MAX_FRAME_BYTES) return false
      if (buffer.length < HEAD_BYTES + length) break
      const kind = buffer[HEAD_BYTES]
      if (kind !== FRAME.control && kind !== FRAME.app) return false
      onFrame({ kind, body: buffer.toString('utf8', HEAD_BYTES + 1, HEAD_BYTES + length) })
      buffer = buffer.subarray(HEAD_BYTES + length)
    }
    this.#keep(buffer)
    return true
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#bytes = rest.length
    this.#wanted = rest.length >= HEAD_BYTES ? HEAD_BYTES + rest.readUInt32LE(0) : HEAD_BYTES
  }
}
