/** How much a worker has to do, in connections: those that it has, and what else makes it busier than the others. Pure. */
import type { Load } from './strategy.ts'

/** Busier than the mean by less than this is noise. */
const BUSY_SLACK = 0.2
/** Later than the mean by less than this is noise: a process may wait that long for a core. */
const LAG_SLACK_MS = 100
/** So much more counts as much as a loop that is never idle. */
const LAG_SCALE_MS = 500
/** More requests in flight than the mean by less than this part of a worker's connections is noise. */
const IN_FLIGHT_SLACK = 0.2

/**
 * What a worker's state adds to its number of connections.
 *
 * - Its event loop is busy for more of the time than those of the others, or its timers are later: then it counts as
 *   one with up to twice as many connections as the mean. The lag tells who has more to do when all loops are never idle.
 * - It has more requests in flight: each above the mean counts as one more connection. They need memory, and
 *   whatever they wait for, also where they leave the loop idle.
 */
export function penaltiesOf(loads: readonly Load[]): (load: Load) => number {
  const mean = meanOf(loads)
  const noise = Math.max(2, mean.open * IN_FLIGHT_SLACK)
  return ({ busy, lagMs = 0, inFlight = 0 }) => {
    const busier = busy - mean.busy - BUSY_SLACK
    const later = (lagMs - mean.lagMs - LAG_SLACK_MS) / LAG_SCALE_MS
    const excess = Math.min(1, Math.max(0, busier, later))
    return Math.round(excess * mean.open + Math.max(0, inFlight - mean.inFlight - noise))
  }
}

function meanOf(loads: readonly Load[]): Required<Load> {
  let [open, busy, lagMs, inFlight] = [0, 0, 0, 0]
  for (const load of loads) {
    open += load.open
    busy += load.busy
    lagMs += load.lagMs ?? 0
    inFlight += load.inFlight ?? 0
  }
  const count = Math.max(1, loads.length)
  return { open: open / count, busy: busy / count, lagMs: lagMs / count, inFlight: inFlight / count }
}
