/** The primary's view of the wire: a worker's bytes are `unknown` until one of these has seen them. */
import type { ReportedError } from '../core/types.ts'
import { readCollected } from './collected-guard.ts'
import type { BindRequest, ConnectionOffer, ServerKind, WorkerLinkMessage, WorkerMessage } from './messages.ts'
import { readReport } from './vitals-guard.ts'

type Fields = Readonly<Record<string, unknown>>

const KINDS: ReadonlySet<string> = new Set<ServerKind>(['http', 'https', 'http2', 'tls', 'net', 'udp'])
/** Longest text that the primary keeps from one field, in characters. */
const TEXT_LIMIT = 64 * 1024

/** Longest address: that of a unix socket, or of a pipe of Windows. */
const ADDRESS_LIMIT = 1024

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= TEXT_LIMIT
const isTextOrNull = (value: unknown): value is string | null => value === null || isText(value)
const isInteger = (value: unknown): value is number => Number.isSafeInteger(value)
const isCount = (value: unknown): value is number => isInteger(value) && value >= 0
const isIntegerOrNull = (value: unknown): value is number | null => value === null || isInteger(value)
const isPart = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= 1
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Reads one control frame of a worker; undefined when it is not a message of this protocol. */
export function parseWorkerMessage(body: string): WorkerMessage | undefined {
  const value = parse(body)
  return value === undefined ? undefined : read(value)
}

/** The same for a line of the link. */
export function parseLinkMessage(line: string): WorkerLinkMessage | undefined {
  const { type, seq, open, nonce, offer } = parse(line) ?? {}
  if (type === 'hello') return isText(nonce) ? { type, nonce } : undefined
  if (!isCount(seq)) return undefined
  if (type === 'refused') return { type, seq }
  if (type === 'took') return isCount(open) ? { type, seq, open } : undefined
  const known = type === 'offer' ? readOffer(offer) : undefined
  return known && { type: 'offer', seq, offer: known }
}

function parse(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isFields(value) ? value : undefined
  } catch {
    return undefined
  }
}

function readOffer(value: unknown): ConnectionOffer | undefined {
  if (!isFields(value) || !isText(value['key']) || !isCount(value['open'])) return undefined
  const { key, open, pin, head, idle } = value
  // Bounded by the length of a line.
  return { key, open, ...(isCount(pin) ? { pin } : {}), ...(typeof head === 'string' ? { head } : {}), ...(idle === true ? { idle } : {}) }
}

function read(value: Fields): WorkerMessage | undefined {
  switch (value['type']) {
    case 'bind':
      return readBind(value)
    case 'listening':
      return readListening(value)
    case 'listenFailed':
      return isText(value['code']) && isTextOrNull(value['address']) && isIntegerOrNull(value['port'])
        ? { type: 'listenFailed', code: value['code'], address: value['address'], port: value['port'] }
        : undefined
    case 'closed':
      return isText(value['key']) ? { type: 'closed', key: value['key'] } : undefined
    case 'copy':
      return isCount(value['seq']) && isText(value['key']) ? { type: 'copy', seq: value['seq'], key: value['key'] } : undefined
    case 'full':
      return isCount(value['used']) && isCount(value['limit']) ? { type: 'full', used: value['used'], limit: value['limit'] } : undefined
    case 'ready':
    case 'accepting':
    case 'shut':
    case 'opened':
    case 'leave':
      return { type: value['type'] }
    case 'load':
      return readLoad(value)
    case 'beat':
      return readBeat(value)
    case 'vitals': {
      const report = readReport(value)
      return report && { type: 'vitals', ...report }
    }
    case 'collected': {
      const collected = readCollected(value)
      return collected && { type: 'collected', ...collected }
    }
    case 'fatal': {
      const error = readError(value['error'])
      return error === undefined ? undefined : { type: 'fatal', error }
    }
    default:
      return undefined
  }
}

function readBeat({ rss, heap, busy, requests, errors }: Fields): WorkerMessage | undefined {
  return isCount(rss) && isPart(heap) && isPart(busy) && isCount(requests) && isCount(errors) ? { type: 'beat', rss, heap, busy, requests, errors } : undefined
}

function readBind(value: Fields): BindRequest | undefined {
  const { seq, address, port, addressType, fd, flags, index, readableAll, writableAll, ticketKeys, backlog } = value
  if (!isInteger(seq) || !isInteger(flags) || !isInteger(index) || index < 0 || !isInteger(backlog)) return undefined
  if (!isTextOrNull(address) || !isIntegerOrNull(port) || !isIntegerOrNull(addressType) || !isIntegerOrNull(fd)) return undefined
  if (typeof readableAll !== 'boolean' || typeof writableAll !== 'boolean') return undefined
  if (ticketKeys !== null && !(isText(ticketKeys) && /^[0-9a-f]{96}$/.test(ticketKeys))) return undefined
  if (addressType !== null && addressType !== 4 && addressType !== 6 && addressType !== -1) return undefined
  if (port !== null && (port < -1 || port > 65_535)) return undefined
  return { type: 'bind', seq, address, port, addressType, fd, flags, index, readableAll, writableAll, ticketKeys, backlog }
}

function readLoad({ open, busy, inFlight, lagMs, accepted, handedOver, moved, taken, refused, dropped }: Fields): WorkerMessage | undefined {
  if (!isCount(open) || !isCount(inFlight) || !isCount(lagMs) || !isPart(busy)) return undefined
  if (!isCount(accepted) || !isCount(moved) || !isCount(taken) || !isCount(refused) || !isCount(dropped) || !isFields(handedOver)) return undefined
  const { surplus, full, owner } = handedOver
  if (!isCount(surplus) || !isCount(full) || !isCount(owner)) return undefined
  return { type: 'load', open, busy, inFlight, lagMs, accepted, handedOver: { surplus, full, owner }, moved, taken, refused, dropped }
}

function readListening(value: Fields): WorkerMessage | undefined {
  const { kind, address, port, key } = value
  if (!isText(kind) || !KINDS.has(kind) || !isText(address) || address.length > ADDRESS_LIMIT || !isIntegerOrNull(port) || !isTextOrNull(key)) return undefined
  return { type: 'listening', kind: kind as ServerKind, address, port, key }
}

function readError(value: unknown): ReportedError | undefined {
  if (!isFields(value) || !isText(value['name']) || !isText(value['message']) || !isText(value['stack'])) return undefined
  const { name, message, stack, code, syscall, address, port, loading } = value
  return {
    name,
    message,
    stack,
    ...(isText(code) ? { code } : {}),
    ...(isText(syscall) ? { syscall } : {}),
    ...(isText(address) ? { address } : {}),
    ...(isInteger(port) ? { port } : {}),
    ...(typeof loading === 'boolean' ? { loading } : {}),
  }
}
