/** When a worker counts as ready: all that it has begun to listen on is listening, or it said so itself. */
import type { ControlChannel } from './control-channel.ts'

export interface Readiness {
  /** A listen() began. */
  readonly listenStarted: () => void
  /** It ended; `bound` tells how. */
  readonly listenEnded: (bound: boolean) => void
  /** The app says that it can serve. */
  readonly declare: () => void
}

/**
 * With `waitReady` only {@link Readiness.declare} counts.
 *
 * @param told called when the primary has been told
 */
export function createReadiness(channel: ControlChannel, waitReady: boolean, told: () => void): Readiness {
  let pending = 0
  let bound = 0
  let isTold = false

  const tell = (): void => {
    if (isTold) return
    isTold = true
    channel.send({ type: 'ready' })
    told()
  }
  const check = (): void => {
    if (!waitReady && pending === 0 && bound > 0) tell()
  }
  return {
    listenStarted() {
      pending += 1
    },
    listenEnded(success) {
      pending = Math.max(0, pending - 1)
      if (success) bound += 1
      // One turn later: an app that listens on several ports often starts the next one in the callback of the first.
      setImmediate(check)
    },
    declare: tell,
  }
}
