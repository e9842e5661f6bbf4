/** What can become of a request. Each has exactly one fate. */
export const FATES = [
  /** The complete and right answer came. */
  'ok',
  /** No connection came about. */
  'refused',
  /** Sent, and the connection ended without a byte of an answer. */
  'lost-before-reply',
  /** The connection ended within the answer. */
  'lost-in-reply',
  /** Neither an answer nor an end of the connection in time. */
  'stuck',
  /** Another answer than the one that this request must get. */
  'wrong',
  /** An answer with a status from 500 on. */
  'error',
  /** By the rules of the protocol, the client was told to send it again: behind `Connection: close` (RFC 9112, 9.6), or above the last stream of GOAWAY (RFC 9113, 6.8). */
  'declined',
] as const

export type Fate = (typeof FATES)[number]

export type FateCounts = Readonly<Record<Fate, number>>

export function countFates(fates: readonly Fate[]): FateCounts {
  const counts = Object.fromEntries(FATES.map((fate) => [fate, 0])) as Record<Fate, number>
  for (const fate of fates) counts[fate] += 1
  return counts
}
