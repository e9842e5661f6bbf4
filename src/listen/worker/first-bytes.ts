/** What the first bytes of a connection tell before anything has parsed them: a head of HTTP/1.1, or the PROXY header of a load balancer. */
import type { Headers } from './request-key.ts'

const END_OF_HEAD = Buffer.from('\r\n\r\n')
/** @see https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt, 2.1 and 2.2 */
const PROXY_V1 = Buffer.from('PROXY ')
const PROXY_V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const V1_LENGTH = 107
const V2_HEAD = 16

/** All bytes of the first request up to its body have come, or it cannot be one of HTTP/1.1: a TLS hello, any binary protocol. */
export function isWholeHead(bytes: Buffer): boolean {
  // A method begins with a letter; empty lines may come before it (RFC 9112, 2.2).
  const first = bytes.find((byte) => byte !== 13 && byte !== 10)
  if (first !== undefined && !isTokenByte(first)) return true
  const start = firstLine(bytes)
  const newline = bytes.indexOf(10, start)
  // A line that ends otherwise is none of HTTP's.
  return (newline > start && bytes[newline - 1] !== 13) || bytes.includes(END_OF_HEAD, start)
}

/** A header field of the first request; undefined, too, when the head is not complete. */
export function headersOf(bytes: Buffer): Headers {
  const start = firstLine(bytes)
  const end = bytes.indexOf(END_OF_HEAD, start)
  const lines = end === -1 ? [] : bytes.toString('latin1', start, end).split('\r\n').slice(1)
  return (name) => {
    const values = lines.filter((line) => line.length > name.length && line[name.length] === ':' && line.slice(0, name.length).toLowerCase() === name)
    return values.length === 0 ? undefined : values.map((line) => line.slice(name.length + 1).trim()).join(name === 'cookie' ? '; ' : ', ')
  }
}

/** The client of a PROXY header; `null` when there is none, undefined while more bytes must come. */
export function proxiedClient(bytes: Buffer): string | null | undefined {
  if (isPrefix(PROXY_V2, bytes)) return bytes.length < V2_HEAD ? undefined : clientOfV2(bytes)
  if (!isPrefix(PROXY_V1, bytes)) return null
  const end = bytes.indexOf('\r\n')
  if (end === -1) return bytes.length < V1_LENGTH ? undefined : null
  const [, protocol = '', client = ''] = bytes.toString('latin1', 0, end).split(' ')
  return protocol.startsWith('TCP') && client !== '' ? client : null
}

function clientOfV2(bytes: Buffer): string | null | undefined {
  const length = V2_HEAD + bytes.readUInt16BE(14)
  if (bytes.length < length) return undefined
  // Version 2, command PROXY; a health check of the balancer itself says LOCAL.
  if (bytes[12] !== 0x21) return null
  const family = (bytes[13] ?? 0) >> 4
  if (family === 1 && length >= V2_HEAD + 12) return [...bytes.subarray(16, 20)].join('.')
  if (family !== 2 || length < V2_HEAD + 36) return null
  return Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(16 + index * 2).toString(16)).join(':')
}

/** Both may be longer than the other. */
function isPrefix(prefix: Buffer, bytes: Buffer): boolean {
  const length = Math.min(prefix.length, bytes.length)
  return length > 0 && prefix.compare(bytes, 0, length, 0, length) === 0
}

/** Where the first line begins: behind a PROXY header and empty lines. */
function firstLine(bytes: Buffer): number {
  let at = 0
  if (isPrefix(PROXY_V2, bytes)) at = bytes.length < V2_HEAD ? bytes.length : V2_HEAD + bytes.readUInt16BE(14)
  else if (isPrefix(PROXY_V1, bytes)) at = bytes.indexOf('\r\n') + 2
  while (bytes[at] === 13 || bytes[at] === 10) at += 1
  return at
}

/** @see RFC 9110, 5.6.2 */
function isTokenByte(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f
}
