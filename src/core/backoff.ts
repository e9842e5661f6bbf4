import type { CoreSettings } from './types.ts'

/**
 * How long a slot waits before it boots again, in milliseconds.
 *
 * The first respawn is immediate. From the second consecutive failure on it is
 * `min(cap, base x factor^(failures - 2))`, varied by `+-jitter` so that slots which died together
 * do not boot together. At most `cap x (1 + jitter)`.
 *
 * @param failures consecutive failures of the slot, at least 1 after a failure
 * @param chance in [0, 1); 0.5 means no jitter
 */
export function backoffMs(failures: number, settings: CoreSettings, chance: number): number {
  if (failures <= 1) return 0
  const { baseMs, factor, capMs, jitter } = settings.backoff
  const plain = Math.min(capMs, baseMs * factor ** (failures - 2))
  return Math.round(plain * (1 + jitter * (2 * chance - 1)))
}
