/**
 * Lets a server stop accepting, and accept again, without its knowing. libuv cannot pause a listening
 * handle, so the worker's own copy of the held socket is closed; the queue stays, since the primary and the
 * other workers have theirs. A fresh copy from the primary takes its place: at first only kept, it accepts
 * when it is told to listen.
 *
 * The server keeps the handle that it has, and asks that one whatever it asks.
 */
import type { ListenHandle } from './handles.ts'

export interface Valve {
  /** Stops accepting, at once. */
  readonly shut: () => void
  /** Accepts again, as soon as there is a copy. */
  readonly open: () => void
}

interface ValveContext {
  readonly backlog: number
  /** Asks the primary for a copy; undefined: there is none. */
  readonly ask: (answer: (copy: ListenHandle | undefined) => void) => void
  /** While held, the process lives on. */
  readonly hold: (held: boolean) => void
  /** The server is closed. */
  readonly closed: () => void
}

/** @param front the handle that the server has. To be called before anybody else wraps its methods. */
export function createValve(front: ListenHandle, { backlog, ask, hold, closed }: ValveContext): Valve {
  const closeFront = front.close.bind(front)
  let wanted: 'open' | 'shut' | 'gone' = 'open'
  /** What accepts. */
  let active: ListenHandle | undefined = front
  /** What may accept later. */
  let copy: ListenHandle | undefined
  let isAsked = false
  /** Whether an open server keeps the process alive: the app may have said otherwise. */
  let isRefed = true
  let isHeld = false

  const keepAlive = (): void => {
    if (isRefed) active?.ref?.()
    else active?.unref?.()
    const value = isRefed && active === undefined && wanted !== 'gone'
    if (value !== isHeld) hold(value)
    isHeld = value
  }
  const closeActive = (done?: () => void): void => {
    if (active === front) closeFront(done)
    else active?.close(done)
    active = undefined
  }
  const listen = (): void => {
    if (wanted !== 'open' || active !== undefined || isAsked) return
    const next = copy
    copy = undefined
    if (next === undefined) {
      request()
      return
    }
    next.onconnection = (error, client) => front.onconnection?.call(front, error, client)
    if (next.listen(backlog) === 0) active = next
    else next.close()
    keepAlive()
  }
  const request = (): void => {
    isAsked = true
    ask((answer) => {
      isAsked = false
      if (wanted === 'gone') answer?.close()
      else copy = answer
      if (copy !== undefined) listen()
    })
  }
  front.close = (done) => {
    wanted = 'gone'
    closed()
    copy?.close()
    if (active === undefined && done !== undefined) setImmediate(done)
    closeActive(done)
    keepAlive()
  }
  return {
    shut() {
      if (wanted !== 'open') return
      wanted = 'shut'
      // The copy is still on its way.
      if (active === undefined) return
      if (active === front) {
        isRefed = front.hasRef?.() ?? true
        standIn(front, (value) => {
          isRefed = value
          keepAlive()
        })
      }
      closeActive()
      keepAlive()
      if (!isAsked) request()
    },
    open() {
      if (wanted !== 'shut') return
      wanted = 'open'
      listen()
    },
  }
}

/** Answers for a handle that is closed: such a one knows no address, and keeps nothing alive. */
function standIn(front: ListenHandle, setRefed: (refed: boolean) => void): void {
  front.ref = () => setRefed(true)
  front.unref = () => setRefed(false)
  const name = {}
  // Pipes have none.
  if (front.getsockname?.(name) !== 0) return
  front.getsockname = (out) => {
    Object.assign(out, name)
    return 0
  }
}
