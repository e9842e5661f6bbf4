/** Whether everycore is about to stop. The app's readiness route may say so before its workers drain. */
export interface Leaving {
  /** It was told; a second time changes nothing. */
  readonly begin: () => void
  readonly isLeaving: () => boolean
  /** Calls the handler once, at once when it was told before. Returns a function that takes the handler off again. */
  readonly onLeaving: (handler: () => void) => () => void
}

export function createLeaving(): Leaving {
  const handlers = new Set<() => void>()
  let told = false
  return {
    begin() {
      if (told) return
      told = true
      for (const handler of handlers) call(handler)
    },
    isLeaving: () => told,
    onLeaving(handler) {
      if (told) call(handler)
      else handlers.add(handler)
      return () => handlers.delete(handler)
    },
  }
}

function call(handler: () => void): void {
  try {
    handler()
  } catch (error) {
    console.error('everycore: an onLeaving handler failed:', error)
  }
}
