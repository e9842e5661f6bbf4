/** Where the control socket of an app is. The one place that knows, for the supervisor and for the command. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const SUFFIX = '.sock'
/** Of sun_path, without the zero at its end. @see unix(7) */
const LONGEST_PATH = 107
const HASH_CHARS = 12

/** The path of an app's socket, below a name that is cut and hashed where it would be too long; undefined where the directory alone is. */
export function socketPath(directory: string, name: string): string | undefined {
  const plain = join(directory, `${name}${SUFFIX}`)
  if (Buffer.byteLength(plain) <= LONGEST_PATH) return plain
  // Here, because hardly any name is so long, and the module takes longer to load than all else.
  const hash = process.getBuiltinModule('node:crypto').createHash('sha256').update(name).digest('hex').slice(0, HASH_CHARS)
  const room = LONGEST_PATH - Buffer.byteLength(join(directory, `-${hash}${SUFFIX}`))
  return room < 0 ? undefined : join(directory, `${name.slice(0, room)}-${hash}${SUFFIX}`)
}

/** Paths of all control sockets in a directory, alive or not; those that are being made are not among them. */
export function socketsIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith(SUFFIX) && !name.startsWith('.')).sort().map((name) => join(directory, name))
  } catch {
    return []
  }
}
