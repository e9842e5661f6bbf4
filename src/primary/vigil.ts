/** Notices workers that no longer answer, and lets the guardian know in case the primary is killed meanwhile. */
import { nowMs } from '../base/clock.ts'
import type { Guardian } from './guardian.ts'

const ROUND_MS = 1000
/** Two beats and a half. */
const SILENCE_MS = 2500

interface Watched {
  readonly pid: number
  readonly heardAt: number
  readonly exited: boolean
}

/** Starts the rounds; returns how to end them. */
export function keepVigil(workers: () => Iterable<Watched>, guardian: Guardian): () => void {
  let lastRound = nowMs()
  const timer = setInterval(() => {
    const now = nowMs()
    const late = now - lastRound - ROUND_MS
    lastRound = now
    // The primary itself was suspended: it has heard nobody and must not blame the workers.
    if (late > ROUND_MS) return
    for (const worker of workers()) {
      if (!worker.exited) guardian.mark(worker.pid, now - worker.heardAt < SILENCE_MS)
    }
  }, ROUND_MS).unref()
  return () => clearInterval(timer)
}
