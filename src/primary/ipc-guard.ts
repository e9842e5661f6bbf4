/**
 * Keeps what a worker sends on Node's own IPC channel from hurting the primary. There, a message
 * `{ cmd: 'NODE_HANDLE_ACK' }` out of turn fails an assertion, bytes that are no JSON throw from the
 * read callback, and a long line is buffered without bound. The app's messages do not travel there, so
 * whoever sends such things does it on purpose or by a defect: the worker is ended, the primary is not.
 *
 * @see lib/internal/child_process.js, setupChannel; lib/internal/cluster/primary.js, onmessage
 */
import type { ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import { sharedSocketLimit } from '../listen/primary/descriptors.ts'
import { readerOf, type CountingHandle } from '../protocol/read-bytes.ts'
import { IPC_LINE_BYTES } from '../protocol/messages.ts'

const NEWLINE = 10
/** Most messages to one worker that wait to be written. An honest one has asked for fewer sockets than that. */
export const UNREAD_LIMIT = 1024
/** Why a worker beyond that limit is ended. */
export const UNREAD = 'requests without end, and did not read the answers'

interface RawChannel extends CountingHandle {
  onread: (this: unknown, ...given: unknown[]) => void
  readStop?: () => void
}

type Listener = (this: unknown, message: unknown, handle: unknown) => void

interface Closable {
  readonly close?: () => void
}

interface IpcHandlers {
  /** The worker uses node:cluster's sockets, so all of its messages are legitimate. */
  readonly viaCluster: boolean
  /** Called at most once. */
  readonly onViolation: (why: string) => void
}

/** Call right after the fork, when Node's own listeners are in place. */
export function guardIpc(child: ChildProcess, { viaCluster, onViolation }: IpcHandlers): void {
  let violated = false
  const violation = (why: string): void => {
    if (violated) return
    violated = true
    onViolation(why)
  }
  boundAnswers(child, violation)
  guardMessages(child, { viaCluster, onViolation: violation }, countShared(child))
  guardBytes(child, violation)
}

/** What a worker does not read waits in the primary: without bound, if the worker goes on asking. */
function boundAnswers(child: ChildProcess, violation: (why: string) => void): void {
  const send = child.send.bind(child) as (...given: unknown[]) => boolean
  let unread = 0
  child.send = (...given: unknown[]) => {
    const callback = typeof given.at(-1) === 'function' ? (given.pop() as (error: Error | null) => void) : undefined
    if (unread >= UNREAD_LIMIT) {
      violation(UNREAD)
      return false
    }
    unread += 1
    return send(given[0], given[1], given[2], (error: Error | null) => {
      unread -= 1
      callback?.(error)
    })
  }
}

/** The sockets that the primary shares with the worker by node:cluster's way, by their key. Read from what the primary answers: what a worker claims proves nothing. */
interface Shared {
  readonly isFull: () => boolean
  readonly closed: (key: unknown) => void
}

interface Answer {
  readonly cmd?: unknown
  readonly ack?: unknown
  readonly errno?: unknown
  readonly key?: unknown
}

/** @see lib/internal/cluster/primary.js, queryServer and close */
function countShared(child: ChildProcess): Shared {
  const limit = sharedSocketLimit()
  const open = new Set<unknown>()
  const send = child.send.bind(child) as (...given: unknown[]) => boolean
  child.send = (...given: unknown[]) => {
    const { cmd, ack, errno, key } = (given[0] ?? {}) as Answer
    if (cmd === 'NODE_CLUSTER' && ack !== undefined && typeof key === 'string' && !errno) open.add(key)
    return send(...given)
  }
  return { isFull: () => open.size >= limit, closed: (key) => open.delete(key) }
}

function guardMessages(child: ChildProcess, { viaCluster, onViolation }: IpcHandlers, shared: Shared): void {
  const name = 'internalMessage' as 'message'
  const originals = child.listeners(name) as Listener[]
  child.removeAllListeners(name)
  child.on(name, (message: unknown, handle: unknown) => {
    if (!isAllowed(message, viaCluster)) {
      ;(handle as Closable | undefined)?.close?.()
      return
    }
    const { act, seq, key } = message as Readonly<Record<string, unknown>>
    if (act === 'queryServer' && shared.isFull()) {
      child.send({ cmd: 'NODE_CLUSTER', ack: seq, errno: -constants.errno.EMFILE }, () => {})
      return
    }
    if (act === 'close') shared.closed(key)
    for (const original of originals) {
      try {
        original.call(child, message, handle)
      } catch (error) {
        onViolation(`a forged internal message (${error instanceof Error ? error.message.split('\n')[0] : String(error)})`)
      }
    }
  })
}

function isAllowed(message: unknown, viaCluster: boolean): boolean {
  if (typeof message !== 'object' || message === null) return false
  const { cmd, act, addressType, fd, port } = message as Readonly<Record<string, unknown>>
  if (cmd === 'NODE_HANDLE' || cmd === 'NODE_HANDLE_ACK' || cmd === 'NODE_HANDLE_NACK') return true
  if (cmd !== 'NODE_CLUSTER') return false
  if (viaCluster || act === 'online' || act === 'exitedAfterDisconnect') return true
  // Datagram sockets are node:cluster's business.
  const isUdp = addressType === 'udp4' || addressType === 'udp6'
  const isBind = act !== 'queryServer' || ((fd === undefined || fd === null || fd === -1) && Number.isInteger(port))
  return isUdp && isBind && (act === 'queryServer' || act === 'listening') ? true : act === 'close'
}

function guardBytes(child: ChildProcess, violation: (why: string) => void): void {
  const symbol = Object.getOwnPropertySymbols(child).find(({ description }) => description === 'kChannelHandle')
  if (symbol === undefined) return
  const channel = (child as unknown as Record<symbol, RawChannel | null>)[symbol]
  if (channel === null || channel === undefined) return
  const original = channel.onread
  const bufferOf = readerOf(channel)
  let unfinished = 0
  channel.onread = function onread(...given) {
    const [bytes] = given
    if (bytes instanceof ArrayBuffer) {
      unfinished = lengthOfLastLine(bufferOf(bytes), unfinished)
      if (unfinished > IPC_LINE_BYTES) {
        channel.readStop?.()
        violation('a line of more than 64 kB on the IPC channel')
        return
      }
    }
    try {
      original.apply(this, given)
    } catch (error) {
      channel.readStop?.()
      violation(`bytes on the IPC channel that Node cannot read (${error instanceof Error ? error.message.slice(0, 80) : String(error)})`)
    }
  }
}

function lengthOfLastLine(bytes: Buffer, before: number): number {
  const at = bytes.lastIndexOf(NEWLINE)
  return at === -1 ? before + bytes.length : bytes.length - at - 1
}
