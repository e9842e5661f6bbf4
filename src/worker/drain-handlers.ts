/** The app's `onDrain` handlers: called when the drain begins, and at once when they are added during it. */
import type { DrainHandler, DrainNotice } from './hook-object.ts'

export class DrainHandlers {
  readonly #handlers = new Set<DrainHandler>()
  #notice: DrainNotice | undefined
  #running = 0
  readonly #listeners: (() => void)[] = []

  /** Returns a function that takes the handler off again. */
  add(handler: DrainHandler): () => void {
    this.#handlers.add(handler)
    if (this.#notice !== undefined) void this.#call(handler, this.#notice)
    return () => this.#handlers.delete(handler)
  }

  begin(notice: DrainNotice): void {
    this.#notice = notice
    // A copy: whatever a handler adds is called by add().
    const handlers = [...this.#handlers]
    for (const handler of handlers) void this.#call(handler, notice)
  }

  /** True while none is running. */
  get done(): boolean {
    return this.#running === 0
  }

  /** Calls `listener` each time that the last running handler has ended. */
  onDone(listener: () => void): void {
    this.#listeners.push(listener)
  }

  async #call(handler: DrainHandler, notice: DrainNotice): Promise<void> {
    this.#running += 1
    try {
      await handler(notice)
    } catch (error) {
      console.error('everycore: an onDrain handler failed:', error)
    }
    this.#running -= 1
    if (this.#running === 0) for (const listener of this.#listeners) listener()
  }
}
