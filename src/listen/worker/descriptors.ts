/**
 * How many of the file descriptors that this process may have are in use. Where none is left, libuv accepts
 * connections only to close them; a worker stops before that, and its queue is there for the others.
 *
 * A new descriptor gets the lowest free number, so a high number means that many are in use, and costs
 * nothing. What it does not see, files and connections of the app with yet higher numbers, is counted now
 * and then: the sooner, the less is left.
 *
 * @see open(2), getrlimit(2), proc_pid_fd(5), uv__emfile_trick in libuv's src/unix/stream.c
 */
import { nowMs } from '../../base/clock.ts'

/** From this part of the limit on nothing is accepted, and below that part it is again. */
const FULL = 0.9
const ROOM = 0.85
/** Below this number nothing is looked at: no limit that Node can run with is that low. */
const LOW = 32
/** How often a full worker looks whether there is room. */
const LOOK_MS = 50
/** Kernels before 6.2 are asked for each descriptor, which takes a microsecond: then it is looked less often. */
const COST_FACTOR = 20

/** In use, and the most that may be. */
export interface DescriptorUse {
  readonly used: number
  readonly limit: number
}

export interface Descriptors {
  /** To be called with the number of each connection that has come. */
  readonly opened: (fd: number) => void
  readonly isFull: () => boolean
  /** From now on nothing is told. */
  readonly stop: () => void
}

interface Reactions {
  readonly full: (use: DescriptorUse) => void
  readonly accepting: () => void
}

/**
 * @param measure counts; undefined when no descriptor is left to count with
 * @param clock for what that takes
 */
export function createDescriptors(on: Reactions, measure: () => DescriptorUse | undefined = measureUse, clock = nowMs): Descriptors {
  let limit = Number.POSITIVE_INFINITY
  /** New ones until they are counted. */
  let left = 0
  let timer: NodeJS.Timeout | undefined

  const look = (): void => {
    const began = clock()
    const use = measure()
    if (use !== undefined && use.used < use.limit * ROOM) {
      timer = undefined
      left = 0
      on.accepting()
      return
    }
    timer = setTimeout(look, Math.max(LOOK_MS, (clock() - began) * COST_FACTOR)).unref()
  }
  return {
    opened(fd) {
      if (timer !== undefined || fd < LOW) return
      left -= 1
      if (left > 0 && fd < limit * FULL) return
      const began = clock()
      const use = measure() ?? { used: fd + 1, limit: fd + 1 }
      limit = use.limit
      // As many as that can come before it can be full, if the app opens another one for each.
      left = Math.max(1, (limit * FULL - use.used) / 2, (clock() - began) * COST_FACTOR)
      if (Math.max(use.used, fd + 1) < limit * FULL) return
      timer = setTimeout(look, LOOK_MS).unref()
      on.full({ used: Math.max(use.used, fd + 1), limit })
    },
    isFull: () => timer !== undefined,
    stop() {
      clearTimeout(timer)
      timer = undefined
      left = Number.POSITIVE_INFINITY
      limit = Number.POSITIVE_INFINITY
    },
  }
}

/** Linux only: elsewhere the limit counts as infinite. */
function measureUse(): DescriptorUse | undefined {
  const fs = process.getBuiltinModule('node:fs')
  try {
    // Node has raised the soft limit to the hard one when it started; prlimit(1) may have changed it since.
    const limit = Number(/^Max open files\s+(\d+)/m.exec(fs.readFileSync('/proc/self/limits', 'latin1'))?.[1])
    // Linux 6.2 and later tell the number as a size.
    const used = fs.statSync('/proc/self/fd').size || fs.readdirSync('/proc/self/fd').length - 1
    if (limit > 0) return { used, limit }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EMFILE') return undefined
  }
  return { used: 0, limit: Number.POSITIVE_INFINITY }
}
