/** Unix socket files that a killed process left behind. */
import { lstatSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'

const PROBE_MS = 1000

/**
 * Removes the socket file at `path` if nobody listens on it any more. Never touches what is not a
 * socket, nor a socket that answers or might.
 *
 * @returns true when the path is free now.
 */
export async function removeStaleSocket(path: string): Promise<boolean> {
  const before = identity(path)
  if (before === undefined) return true
  if (before === 'other' || !(await isDead(path))) return false
  // Between the probe and here another process may have taken the path over.
  if (identity(path) !== before) return false
  try {
    unlinkSync(path)
    return true
  } catch {
    // Somebody else's, in a directory that lets only owners remove: then it is in use, as under plain node.
    return false
  }
}

/** Device and inode of a socket file, 'other' for any other file, undefined for none. */
function identity(path: string): string | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  return stat.isSocket() ? `${stat.dev}:${stat.ino}` : 'other'
}

/** Only a refused connection proves that nobody listens; silence and a full queue do not. */
function isDead(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const settle = (dead: boolean): void => {
      socket.destroy()
      resolve(dead)
    }
    socket.once('connect', () => settle(false))
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code === 'ECONNREFUSED'))
    socket.setTimeout(PROBE_MS, () => settle(false))
  })
}
