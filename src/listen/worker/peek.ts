/**
 * Reads the first bytes of connections before there is a Socket, and no more than it needs. What was read goes on
 * with the connection. Everything is bounded: the bytes, the time, and how many are read at once; whoever exceeds a
 * bound is decided on with what there is, and the app's own limits apply from then on.
 */
import { nowMs } from '../../base/clock.ts'
import { readerOf } from '../../protocol/read-bytes.ts'
import type { ClientHandle } from './handles.ts'

/** Longest head. As long as the default of `http.createServer`. */
const BYTES = 16 * 1024
const TIME_MS = 5000
/** Connections that are being read at once; beyond it the oldest has to do with what it has. */
const PENDING = 1000

/** A handle below a stream, before there is one. */
export interface ReadableHandle extends ClientHandle {
  onread?: (bytes?: ArrayBuffer) => void
  readStart?: () => number
  readStop?: () => number
}

interface Pending {
  readonly until: number
  readonly end: () => void
}

export interface Peeks {
  /** Reads until `isEnough`, a bound, or the end. `done` is called once, with all that was read; not before this returns. */
  readonly read: (client: ReadableHandle, isEnough: (head: Buffer) => boolean, done: (head: Buffer) => void) => void
  /** Decide on everything, now. */
  readonly endAll: () => void
}

export function createPeeks(): Peeks {
  /** The oldest first. */
  const pending = new Set<Pending>()
  let timer: NodeJS.Timeout | undefined

  const watch = (): void => {
    const [oldest] = pending
    if (oldest === undefined || timer !== undefined) return
    timer = setTimeout(() => {
      timer = undefined
      const now = nowMs()
      for (const one of pending) {
        if (one.until > now) break
        one.end()
      }
      watch()
    }, Math.max(1, oldest.until - nowMs())).unref()
  }

  return {
    read(client, isEnough, done) {
      let head = Buffer.alloc(0)
      const end = (): void => {
        if (!pending.delete(one)) return
        client.readStop?.()
        // Node ends the process when it is no function.
        client.onread = () => {}
        done(head)
      }
      const one: Pending = { until: nowMs() + TIME_MS, end }
      pending.add(one)
      if (pending.size > PENDING) {
        const [oldest] = pending
        oldest?.end()
      }
      const bufferOf = readerOf(client)
      client.onread = (bytes) => {
        if (bytes !== undefined) head = head.length === 0 ? bufferOf(bytes) : Buffer.concat([head, bufferOf(bytes)])
        // Without bytes it is the end, or an error; the next who reads learns it too.
        if (bytes === undefined || head.length >= BYTES || isEnough(head)) end()
      }
      if (client.readStart?.() === 0) watch()
      else setImmediate(end)
    },
    endAll() {
      for (const one of pending) one.end()
    },
  }
}
