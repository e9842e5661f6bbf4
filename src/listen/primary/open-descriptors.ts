/** What was open when the process began. */
import { fstatSync, readdirSync } from 'node:fs'

/**
 * Descriptors from 3 to 63 that are sockets when the process starts: handed over by systemd or by a
 * parent. To be called before anything else opens one: what an app may name must not be ours.
 */
export function inheritedSockets(): ReadonlySet<number> {
  const ipc = (process.channel as { readonly fd?: number } | undefined)?.fd
  return new Set(openDescriptors().filter((fd) => fd >= 3 && fd < 64 && fd !== ipc && isSocket(fd)))
}

/** Listed where the system does: to be told of each that it is not open takes 2 ms. */
function openDescriptors(): readonly number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number)
  } catch {
    return Array.from({ length: 64 }, (_, fd) => fd)
  }
}

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket()
  } catch {
    return false
  }
}
