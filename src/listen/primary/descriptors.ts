/** How many descriptors the supervisor may have: what workers make it open must leave room for its own. Supervisor's half. */
import { readFileSync } from 'node:fs'

/** More addresses than any app listens on. */
const MOST_SOCKETS = 512
/** More than any app shares between its workers. */
const MOST_DATAGRAM_SOCKETS = 128

/** How many sockets are held at the same time: at most a quarter of the descriptors. */
export function heldSocketLimit(): number {
  return Math.min(MOST_SOCKETS, Math.floor(descriptors() / 4))
}

/** How many sockets one worker may have by node:cluster's way at the same time: at most a sixteenth of the descriptors. */
export function sharedSocketLimit(): number {
  return Math.min(MOST_DATAGRAM_SOCKETS, Math.floor(descriptors() / 16))
}

/** The soft limit of this process (proc(5)); infinite where it cannot be read. */
function descriptors(): number {
  try {
    const limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
    return Number.isNaN(limit) ? Number.POSITIVE_INFINITY : limit
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
