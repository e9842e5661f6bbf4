/** Binds unix sockets. */
import { constants } from 'node:os'
import { relative } from 'node:path'
import type { BindRequest } from '../../protocol/messages.ts'
import { bindHandle, type RawHandle } from './raw-handle.ts'
import { removeStaleSocket } from './stale-path.ts'

const EADDRINUSE = -constants.errno.EADDRINUSE
/** sun_path of sockaddr_un, without the final NUL (unix(7)). */
const PATH_LIMIT = process.platform === 'darwin' ? 103 : 107

/**
 * Binds. A file that a socket has left behind which nobody listens on is replaced.
 *
 * @param path one that begins with NUL is the name of an abstract socket
 * @returns the handle, or a negative errno
 */
export async function bindPath(path: string, { readableAll, writableAll }: Pick<BindRequest, 'readableAll' | 'writableAll'>): Promise<RawHandle | number> {
  // The name of an abstract socket begins with NUL: there is no file.
  if (path.startsWith('\0')) return bindHandle(path, -1, -1, 0)
  const short = shortest(path)
  let handle = bindHandle(short, -1, -1, 0)
  if (handle === EADDRINUSE && (await removeStaleSocket(path))) handle = bindHandle(short, -1, -1, 0)
  if (typeof handle === 'number') return handle
  const mode = (readableAll ? 1 : 0) | (writableAll ? 2 : 0)
  if (mode !== 0) handle.fchmod?.(mode)
  return handle
}

/** The app may have listened on a relative path because the absolute one is too long. */
function shortest(path: string): string {
  if (Buffer.byteLength(path) <= PATH_LIMIT) return path
  const short = relative(process.cwd(), path)
  return short.length < path.length ? short : path
}
