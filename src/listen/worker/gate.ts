/**
 * Keeps a server from accepting until the primary says so: it is bound, knows its address, and tells the app that it
 * listens, but takes only the connections that the primary sends it, which are probes and requests for warming up.
 */

export interface Gate {
  /** Does it now, or when the gate is opened. */
  readonly whenOpen: (action: () => void) => void
  readonly open: () => void
}

/** @param hold while held, the process lives on: a server that does not listen yet would not see to it */
export function createGate(isShut: boolean, hold: (held: boolean) => void): Gate {
  let waiting: (() => void)[] | undefined = isShut ? [] : undefined
  return {
    whenOpen(action) {
      if (waiting === undefined) action()
      else {
        if (waiting.length === 0) hold(true)
        waiting.push(action)
      }
    },
    open() {
      const actions = waiting ?? []
      waiting = undefined
      for (const action of actions) action()
      if (actions.length > 0) hold(false)
    },
  }
}
