/** A handle of libuv's that reads. */
export interface CountingHandle {
  /** All bytes that it has read, those that are being told included. */
  readonly bytesRead: number
}

/**
 * The bytes that `onread` of a handle is told of. On Node 26 their buffer can be longer, when it is more than half full;
 * how many count is known to Node alone, but the handle counts all of them.
 *
 * @returns what to call with each buffer
 * @see src/stream_base.cc, EmitToJSStreamListener::OnStreamRead
 */
export function readerOf(handle: CountingHandle): (bytes: ArrayBuffer) => Buffer<ArrayBuffer> {
  let before = handle.bytesRead
  return (bytes) => {
    const length = handle.bytesRead - before
    before = handle.bytesRead
    return Buffer.from(bytes, 0, Math.min(length, bytes.byteLength))
  }
}
