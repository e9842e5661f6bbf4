import { dirname } from 'node:path'
import { EverycoreError } from '../../base/errors.ts'
import type { Host } from '../host.ts'

/** Somebody besides the owner may write. */
const OTHERS_WRITE = 0o022
/** In such a directory nobody can replace what belongs to another. */
const STICKY = 0o1000

/**
 * As root, a config file runs as root. So it must be root's alone to change: the file, its directory, and what is
 * above, as the file is named and as it really is.
 *
 * @throws EverycoreError ERR_EVERYCORE_CONFIG
 */
export function requireTrusted(path: string, host: Host): void {
  if (host.euid !== 0 || host.platform === 'win32') return
  const flaw = flawOf(path, host) ?? flawOf(host.realPath(path), host)
  if (flaw === undefined) return
  throw new EverycoreError('ERR_EVERYCORE_CONFIG', `refused to read ${path} as root: ${flaw}`, {
    why: 'Whoever can change it could have anything run as root.',
    hint: 'Start everycore as another user, give file and directories to root (chown root, chmod go-w), or use --no-config.',
  })
}

function flawOf(path: string, host: Host): string | undefined {
  const file = host.stat(path)
  if (file === undefined) return undefined
  if (file.uid !== 0) return `it belongs to user ${file.uid}`
  if ((file.mode & OTHERS_WRITE) !== 0) return `others can write to it (mode ${file.mode.toString(8)})`
  for (let directory = dirname(path), isOwn = true; ; directory = dirname(directory), isOwn = false) {
    const facts = host.stat(directory)
    if (facts !== undefined && facts.uid !== 0) return `${directory} belongs to user ${facts.uid}`
    const isSafe = facts === undefined || (facts.mode & OTHERS_WRITE) === 0 || (!isOwn && (facts.mode & STICKY) !== 0)
    if (!isSafe) return `others can write to ${directory} (mode ${facts.mode.toString(8)})`
    if (dirname(directory) === directory) return undefined
  }
}
