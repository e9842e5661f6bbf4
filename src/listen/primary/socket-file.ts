/**
 * The file of a unix socket, when sockets change hands. libuv removes the file of a socket that it has bound when it
 * closes it, also at the natural end of the process, and never the file of one that it was given.
 */
import { linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs'
import type { RawHandle } from './raw-handle.ts'

/** As it is now. */
export interface SocketFile {
  /** Unless another has taken its place. */
  readonly remove: () => void
}

/** Undefined where there is none, as for an abstract socket. */
export function socketFile(path: string): SocketFile | undefined {
  const identity = identityOf(path)
  if (identity === undefined) return undefined
  return {
    remove() {
      if (identityOf(path) === identity) unlinkSync(path)
    },
  }
}

/** Device and inode. */
function identityOf(path: string): string | undefined {
  if (path.startsWith('\0')) return undefined
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat?.isSocket() === true ? `${stat.dev}:${stat.ino}` : undefined
}

/**
 * Gives up a socket that was bound here and whose file stays, since another process has the socket too. One that does
 * not accept stays open and disturbs nobody; the process then ends without closing it. One that accepts must be closed:
 * the file is put back at once, and for some microseconds it is not there.
 */
export function closeWithoutFile(handle: RawHandle, path: string, accepts: boolean): void {
  if (!accepts) {
    endWithoutCleanUp()
    return
  }
  const aside = `${path}.${process.pid}`
  linkSync(path, aside)
  handle.close()
  renameSync(aside, path)
}

/** The last listener: a second exit() within the first ends the process with the same code, without the clean-up of handles. */
function endWithoutCleanUp(): void {
  process.off('exit', endNow)
  process.on('exit', endNow)
}

function endNow(): void {
  process.exit()
}
