/** Listeners of the process that are ours or Node's own, and that an app must not lose when it removes all. */

type Listener = (...input: readonly unknown[]) => void

interface Names {
  on(name: string, listener: Listener): unknown
  rawListeners(name: string): readonly Listener[]
}

/** Node delivers handles by 'internalMessage'; the others are in `fatal-errors.ts`, `output.ts`, `traces.ts` and `cluster-worker.ts`. */
const KEPT = ['internalMessage', 'uncaughtExceptionMonitor', 'exit', 'SIGUSR1', 'disconnect'] as const

/**
 * To be called before the app runs: then what listens is not the app's. After `process.removeAllListeners()` these are added again,
 * in the next tick: before that no message can come.
 */
export function keepListeners(): void {
  const names = process as unknown as Names
  const kept = KEPT.map((name) => [name, names.rawListeners(name)] as const)
  let isDue = false
  const restore = (): void => {
    isDue = false
    for (const [name, listeners] of [...kept, ['removeListener', [onRemoved]] as const]) {
      const left = new Set(names.rawListeners(name))
      for (const listener of listeners) if (!left.has(listener)) names.on(name, listener)
    }
  }
  const onRemoved: Listener = (name, listener) => {
    if (isDue || !kept.some(([own, listeners]) => own === name && listeners.includes(listener as Listener))) return
    isDue = true
    process.nextTick(restore)
  }
  names.on('removeListener', onRemoved)
}
