import { fstatSync, WriteStream, writeSync } from 'node:fs'
import type { Writable } from 'node:stream'

/** Why bytes could not be written. */
export interface WriteFailure {
  /** The system's code, for instance 'ENOSPC', or 'UNKNOWN'. */
  readonly code: string
  /** How many of the bytes were written nevertheless; undefined when nobody knows. */
  readonly written: number | undefined
  /** Whatever the code is, it may pass: the outlet opens what it writes to anew. */
  readonly mayPass?: true
}

/** Where bytes leave the process. One write at a time. */
export interface Outlet {
  /** Whether the memory of a write may be used again as soon as it is done. */
  readonly copies: boolean
  /** Calls `done` once, at once or later. */
  write(bytes: Buffer, done: (failure?: WriteFailure) => void): void
  /** Tells once when nothing can be written any more. */
  onClosed(listener: (code: string) => void): void
}

/** Failures after which the reader never comes back. Others (ENOSPC, EIO, EAGAIN, ...) may pass. */
const FINAL: ReadonlySet<string> = new Set([
  'EPIPE',
  'EBADF',
  'ECONNRESET',
  'ENOTCONN',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
  'ERR_STREAM_ALREADY_FINISHED',
])

/** Whether the failure means that the outlet is closed for good. */
export function isFinal(code: string): boolean {
  return FINAL.has(code)
}

/**
 * The outlet of a stream. Nothing in it blocks but a file, which does so by nature: terminals are
 * switched to non-blocking (a terminal stopped by Ctrl-S must not stop the supervisor), pipes and
 * sockets are so already. A file is written past its stream, because Node's stream of a file ignores
 * that a full disk takes a part of a write.
 *
 * @see lib/internal/fs/sync_write_stream.js, lib/internal/bootstrap/switches/is_main_thread.js in Node
 */
export function createOutlet(stream: Writable): Outlet {
  const fd = fileDescriptor(stream)
  if (fd !== undefined && isFile(stream, fd)) {
    // Others may still write to the stream; what fails there must not end the process.
    stream.on('error', ignore)
    return createFileOutlet(fd)
  }
  setNonBlocking(stream)
  return createStreamOutlet(stream)
}

/** Whether both streams end in the same file, pipe or terminal, so that the order of lines between them can be kept. */
export function sameTarget(one: Writable, other: Writable): boolean {
  if (one === other) return true
  const [fd, otherFd] = [fileDescriptor(one), fileDescriptor(other)]
  if (fd === undefined || otherFd === undefined) return false
  try {
    const [stat, otherStat] = [fstatSync(fd), fstatSync(otherFd)]
    return stat.dev === otherStat.dev && stat.ino === otherStat.ino
  } catch {
    return false
  }
}

/** @param write stands for `fs.writeSync` in tests. */
export function createFileOutlet(fd: number, write: (fd: number, bytes: Buffer) => number = writeSync): Outlet {
  return {
    copies: true,
    onClosed: ignore,
    write(bytes, done) {
      let written = 0
      try {
        while (written < bytes.length) written += write(fd, bytes.subarray(written))
      } catch (error) {
        done({ code: codeOf(error), written })
        return
      }
      done()
    },
  }
}

function createStreamOutlet(stream: Writable): Outlet {
  let closed: (code: string) => void = ignore
  stream.on('error', (error) => {
    if (isFinal(codeOf(error))) closed(codeOf(error))
  })
  // process.stdout emits 'close' after every error and goes on; only a destroyed stream is closed.
  stream.on('close', () => {
    if (stream.destroyed) closed('ERR_STREAM_DESTROYED')
  })
  return {
    copies: false,
    onClosed: (listener) => void (closed = listener),
    write(bytes, done) {
      stream.write(bytes, (error) => {
        if (error) done({ code: codeOf(error), written: undefined })
        else done()
      })
    },
  }
}

function ignore(): void {}

function isFile(stream: Writable, fd: number): boolean {
  if (stream instanceof WriteStream || ('isTTY' in stream && stream.isTTY === true)) return false
  try {
    const stat = fstatSync(fd)
    return stat.isFile() || stat.isCharacterDevice()
  } catch {
    return false
  }
}

/** The descriptor of a stream that has one. */
export function fileDescriptor(stream: Writable): number | undefined {
  return 'fd' in stream && typeof stream.fd === 'number' ? stream.fd : undefined
}

function setNonBlocking(stream: Writable): void {
  const handle: unknown = Reflect.get(stream, '_handle')
  if (typeof handle !== 'object' || handle === null || !('setBlocking' in handle)) return
  if (typeof handle.setBlocking === 'function') Reflect.apply(handle.setBlocking, handle, [false])
}

/** The system's code of an error; 'UNKNOWN' where it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN'
}
