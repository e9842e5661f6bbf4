/**
 * The app's side: `import { ready, onDrain, isLeaving, onLeaving, exposeMetrics, slot, generation, isSupervised } from 'everycore/worker'`.
 * Everything here is harmless in a process that everycore did not start.
 */
import { findHook, type DrainHandler } from './hook-object.ts'
import type { MetricsRegistry } from './registries.ts'

export type { MetricsRegistry } from './registries.ts'
export type { DrainHandler, DrainNotice } from './hook-object.ts'

const hook = findHook()

/** True in a worker that everycore started; false under plain node, in worker threads and in child processes. */
export const isSupervised: boolean = hook !== undefined

/**
 * The stable seat of this worker, 0 to size-1; a replacement has the seat of its predecessor. 0 when not supervised.
 * -1 in a spare (`--spare`) until its first `listen()` goes on.
 */
export let slot: number = hook?.boot.slot ?? 0

hook?.onSeat((given) => {
  slot = given
})

/** 1 at start, one more with each reload. 0 when not supervised. */
export const generation: number = hook?.boot.generation ?? 0

/**
 * Says that this worker can serve. Only needed with `--wait-ready`, or by a worker that never listens.
 * May be called more than once.
 */
export function ready(): void {
  hook?.ready()
}

/**
 * Calls `handler` when this worker begins to drain, or at once when it drains already: the place to say
 * goodbye on WebSockets and to stop taking jobs. A promise that it returns is awaited, within the drain
 * timeout, before upgraded connections are ended. A handler that throws is reported on stderr and changes nothing else.
 *
 * @returns a function that takes the handler off again.
 */
export function onDrain(handler: DrainHandler): () => void {
  return hook?.onDrain(handler) ?? (() => {})
}

/**
 * True from the moment at which a stop was asked for: with `--drain-delay` while requests still come, so that a readiness
 * route can send them elsewhere. A reload is no stop. False when not supervised.
 */
export function isLeaving(): boolean {
  return hook?.isLeaving() ?? false
}

/**
 * Calls `handler` when {@link isLeaving} becomes true, or at once when it is. A handler that throws is reported on
 * stderr and changes nothing else.
 *
 * @returns a function that takes the handler off again.
 */
export function onLeaving(handler: () => void): () => void {
  return hook?.onLeaving(handler) ?? (() => {})
}

/**
 * Has everycore tell what is in a registry of prom-client or @prometheus-io/client beside its own metrics, merged over all
 * workers. The global registry of both is found without this, unless the package was bundled into the app.
 *
 * @param registry anything with `getMetricsAsJSON()` as these packages have it
 */
export function exposeMetrics(registry: MetricsRegistry): void {
  hook?.registries.add(registry)
}
