/**
 * Framing of the control pipe: `u32 little-endian length | u8 kind | body`. The length counts kind and
 * body. It is checked before anything is buffered or parsed, so that no claim about a size can cost memory.
 */

/** Largest frame in bytes. An app message above it is refused in the process that sends it. */
export const MAX_FRAME_BYTES = 1024 * 1024

/**
 * What a body holds. `control`: our own message. `app`: an app's message that only the receiver's app understands.
 * `diagnosis`: an order or report of `diagnosis.ts`. All of them JSON. `bytes`: u32 little-endian seq, and bytes of a profile.
 */
export const FRAME = { control: 0, app: 1, diagnosis: 2, bytes: 3 } as const

export type FrameKind = (typeof FRAME)[keyof typeof FRAME]

export type Frame =
  | { readonly kind: Exclude<FrameKind, typeof FRAME.bytes>; readonly body: string }
  | { readonly kind: typeof FRAME.bytes; readonly seq: number; readonly bytes: Uint8Array }

const HEAD_BYTES = 4
const SEQ_BYTES = 4

/** Returns the bytes of a frame, or undefined when the body is larger than {@link MAX_FRAME_BYTES}. */
export function encodeFrame(kind: Exclude<FrameKind, typeof FRAME.bytes>, body: string): Buffer | undefined {
  const length = Buffer.byteLength(body) + 1
  if (length > MAX_FRAME_BYTES) return undefined
  const frame = Buffer.allocUnsafe(HEAD_BYTES + length)
  frame.writeUInt32LE(length, 0)
  frame[HEAD_BYTES] = kind
  frame.write(body, HEAD_BYTES + 1)
  return frame
}

/** The same for bytes of a profile; the caller sees to it that they fit. */
export function encodeBytes(seq: number, bytes: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + 1 + SEQ_BYTES + bytes.length)
  frame.writeUInt32LE(1 + SEQ_BYTES + bytes.length, 0)
  frame[HEAD_BYTES] = FRAME.bytes
  frame.writeUInt32LE(seq, HEAD_BYTES + 1)
  frame.set(bytes, HEAD_BYTES + 1 + SEQ_BYTES)
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
      const frame = readFrame(buffer.subarray(HEAD_BYTES, HEAD_BYTES + length))
      if (frame === undefined) return false
      onFrame(frame)
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

/** @param content kind and body; undefined when it is of no kind. */
function readFrame(content: Buffer): Frame | undefined {
  const [kind] = content
  if (kind === FRAME.control || kind === FRAME.app || kind === FRAME.diagnosis) return { kind, body: content.toString('utf8', 1) }
  if (kind !== FRAME.bytes || content.length < 1 + SEQ_BYTES) return undefined
  return { kind, seq: content.readUInt32LE(1), bytes: content.subarray(1 + SEQ_BYTES) }
}
