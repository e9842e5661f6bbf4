/**
 * The connections of the control socket. So many are served at a time; others wait, accepted and unread, until a place
 * is free. Who has a place and does not use it loses it: no client can keep others out by saying nothing.
 */
import type { Socket } from 'node:net'
import { LIMITS } from './limits.ts'

/** Before it counts as idle for those who wait. */
const GRACE_MS = 2000
/** Connections that begin to be served in one turn. */
const PER_TURN = 4
const FULL = 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

interface Place {
  /** A request is being answered. */
  isBusy: boolean
  /** Since when it is not. */
  idleSince: number
  timer: NodeJS.Timeout | undefined
}

export class Places {
  readonly #serve: (socket: Socket) => void
  readonly #now: () => number
  readonly #places = new Map<Socket, Place>()
  readonly #waiting = new Set<Socket>()
  #timer: NodeJS.Timeout | undefined
  #filling: NodeJS.Immediate | undefined
  #isClosing = false

  /** @param serve reads it from then on @param now milliseconds */
  constructor(serve: (socket: Socket) => void, now: () => number) {
    this.#serve = serve
    this.#now = now
  }

  /** A connection that nobody has read yet. */
  take(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    if (this.#waiting.size >= LIMITS.waiting) {
      socket.end(FULL, () => socket.destroy())
      return
    }
    this.#waiting.add(socket)
    socket.once('close', () => this.#gone(socket))
    this.#fill()
  }

  /** A request has come. */
  busy(socket: Socket): void {
    const place = this.#places.get(socket)
    if (place === undefined) return
    clearTimeout(place.timer)
    place.isBusy = true
  }

  /** It has been answered. */
  idle(socket: Socket): void {
    const place = this.#places.get(socket)
    if (place === undefined) return
    if (this.#isClosing) return socket.destroySoon()
    this.#rest(socket, place)
    this.#fill()
  }

  /** Ends all connections; those that are being answered have a moment for it. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true
    clearTimeout(this.#timer)
    clearImmediate(this.#filling)
    for (const socket of this.#waiting) socket.destroy()
    const busy: Promise<unknown>[] = []
    for (const [socket, { isBusy }] of this.#places) {
      if (isBusy) busy.push(new Promise((resolve) => socket.ref().once('close', resolve)))
      else socket.destroy()
    }
    if (busy.length === 0) return
    const timer = setTimeout(() => this.#destroyAll(), graceMs)
    await Promise.all(busy)
    clearTimeout(timer)
  }

  #destroyAll(): void {
    for (const socket of this.#places.keys()) socket.destroy()
  }

  #rest(socket: Socket, place: Place): void {
    place.isBusy = false
    place.idleSince = this.#now()
    clearTimeout(place.timer)
    place.timer = setTimeout(() => socket.destroy(), LIMITS.headerTimeoutMs).unref()
  }

  #gone(socket: Socket): void {
    clearTimeout(this.#places.get(socket)?.timer)
    this.#places.delete(socket)
    this.#waiting.delete(socket)
    this.#fill()
  }

  /** A few in each turn of the event loop, which has other things to do. */
  #fill(): void {
    this.#filling ??= setImmediate(() => {
      this.#filling = undefined
      this.#fillNow()
    })
  }

  #fillNow(): void {
    let places = Math.min(PER_TURN, LIMITS.connections - this.#places.size)
    for (const socket of this.#waiting) {
      if (places <= 0) break
      places -= 1
      this.#waiting.delete(socket)
      const place: Place = { isBusy: false, idleSince: 0, timer: undefined }
      this.#places.set(socket, place)
      this.#rest(socket, place)
      this.#serve(socket)
    }
    if (this.#waiting.size === 0) return
    if (this.#places.size < LIMITS.connections) this.#fill()
    else this.#timer ??= setTimeout(() => this.#clear(), GRACE_MS).unref()
  }

  /** As many idle ones end as there are others who wait. */
  #clear(): void {
    this.#timer = undefined
    const limit = this.#now() - GRACE_MS
    const idle = [...this.#places].filter(([, { isBusy, idleSince }]) => !isBusy && idleSince <= limit)
    for (const [socket] of idle.slice(0, this.#waiting.size)) socket.destroy()
    this.#fill()
  }
}
