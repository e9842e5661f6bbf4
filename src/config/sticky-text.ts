/** How `--sticky` and `--trusted-proxies` are written. */
import { isIP } from 'node:net'
import type { StickyKey } from './types.ts'

/** `token` of RFC 9110, 5.6.2: what the name of a header or a cookie may consist of. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/

/** Reads `ip`, `cookie`, `cookie:<name>` or `header:<name>`; undefined when it is none of them. */
export function parseSticky(text: string): StickyKey | undefined {
  const [by = '', ...rest] = text.trim().split(':')
  const name = rest.length === 0 ? null : rest.join(':')
  if (name !== null && !NAME.test(name)) return undefined
  if ((by === 'ip' || by === 'cookie') && name === null) return { by, name }
  if (by === 'cookie') return { by, name }
  // Names of headers are the same in any case (RFC 9110, 5.1).
  return by === 'header' && name !== null ? { by, name: name.toLowerCase() } : undefined
}

/** An address, an address with the number of bits that count, or `unix`. */
export function isNetwork(text: string): boolean {
  if (text === 'unix') return true
  const [address = '', bits, ...more] = text.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}
