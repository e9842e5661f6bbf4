import { closeSync, openSync, readSync } from 'node:fs'

const BYTES = 16

/**
 * 128 bits that nobody can guess, as hexadecimal digits. From the kernel's own device, because `node:crypto` takes 4 to 8 ms
 * to load, which the workers would wait for; where there is none, from `node:crypto`.
 *
 * @see random(4), docs/decisions/0009
 */
export function randomId(device = '/dev/urandom'): string {
  return (read(device) ?? process.getBuiltinModule('node:crypto').randomBytes(BYTES)).toString('hex')
}

function read(device: string): Buffer | undefined {
  const bytes = Buffer.alloc(BYTES)
  try {
    const fd = openSync(device, 'r')
    try {
      return readSync(fd, bytes) === BYTES ? bytes : undefined
    } finally {
      closeSync(fd)
    }
  } catch {
    return undefined
  }
}
