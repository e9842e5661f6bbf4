/**
 * How the app's import of `everycore/worker` finds the hook that the preload installed: by a symbol on
 * `process`, since the two are loaded as different modules of different kinds.
 */
import type { BootInfo } from '../protocol/boot.ts'
import type { MetricsRegistry } from './registries.ts'

const HOOK = Symbol.for('everycore.worker')

/** What an app is told when its worker begins to drain. */
export interface DrainNotice {
  /** 'stop', 'scale', 'reload', 'rollback', 'request', or 'primary-gone'. */
  readonly reason: string
  /** `Date.now()` value at which the worker is killed. */
  readonly deadline: number
  /**
   * Calls `action` for each item at a moment by chance, so that not all clients come back at once: within `--close-spread`,
   * sooner if they are few. Fulfilled when all have been called. One that throws is reported on stderr.
   */
  readonly spread: <T>(items: Iterable<T>, action: (item: T) => unknown) => Promise<void>
}

export type DrainHandler = (notice: DrainNotice) => void | Promise<void>

export interface Hook {
  readonly boot: BootInfo
  readonly ready: () => void
  /** Calls back when a spare has got its slot. */
  readonly onSeat: (listener: (slot: number) => void) => void
  /** Returns a function that takes the handler off again. */
  readonly onDrain: (handler: DrainHandler) => () => void
  /** Of the app, besides those that are found. */
  readonly registries: Set<MetricsRegistry>
  readonly isLeaving: () => boolean
  readonly onLeaving: (handler: () => void) => () => void
}

export function publishHook(hook: Hook): void {
  Object.defineProperty(process, HOOK, { value: hook, enumerable: false, configurable: false, writable: false })
}

/** Undefined in a process that everycore did not start, and in its worker threads. */
export function findHook(): Hook | undefined {
  return (process as unknown as Record<symbol, Hook | undefined>)[HOOK]
}
