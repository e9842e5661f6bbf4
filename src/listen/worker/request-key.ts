/** Whose a request is, going by the rules of sticky sessions: a number of 32 bits, or nobody's. */
import { remember } from '../../base/remember.ts'
import { clientOf, pinOf, type StickyRules } from '../../protocol/sticky.ts'
import { readStickyCookie, STICKY_COOKIE } from './sticky-cookie.ts'
import { createTrust } from './trust.ts'

/** Clients whose keys are kept: to find one takes as long as a small request's headers. */
const KEPT = 2048

/** A request as far as it matters. Names in lower case; several of one name joined as RFC 9110, 5.3 and RFC 9113, 8.2.3 say. */
export type Headers = (name: string) => string | undefined

export interface KeyReader {
  /** Undefined, too, by address, when only the connection tells. @param peer its address; undefined: a unix socket */
  readonly ofRequest: (headers: Headers, peer: () => string | undefined) => number | undefined
  /** For connections whose requests cannot be read. */
  readonly ofPeer: (address: string | undefined) => number | undefined
  /** May the peer say for whom it speaks? */
  readonly isTrusted: (address: string | undefined) => boolean
}

/** @param rules of this run */
export function createKeyReader({ by, name, secret, trusted }: StickyRules): KeyReader {
  const isTrusted = createTrust(trusted)
  const ofAddress = remember(KEPT, (address) => pinOf(secret, clientOf(address)))
  const ofValue = remember(KEPT, (value) => pinOf(secret, value))
  const ofSticky = remember(KEPT, (value) => readStickyCookie(secret, value))
  const ofPeer = (address: string | undefined): number | undefined => (address === undefined ? undefined : ofAddress(address))
  return {
    isTrusted,
    ofPeer,
    ofRequest(headers, peer) {
      if (by === 'header') {
        const value = headers(name ?? '')
        return value === undefined || value === '' ? undefined : ofValue(value)
      }
      if (by === 'ip') return isTrusted(peer()) ? ofPeer(forwardedFor(headers('x-forwarded-for'), isTrusted)) : undefined
      if (by === 'function') return undefined
      const cookies = headers('cookie')
      if (cookies === undefined) return undefined
      const sticky = cookieOf(cookies, STICKY_COOKIE)
      const ours = sticky === undefined ? undefined : ofSticky(sticky)
      if (ours !== undefined || name === null) return ours
      const value = cookieOf(cookies, name)
      return value === undefined || value === '' ? undefined : ofValue(value)
    },
  }
}

/** The last address that no trusted proxy has: those before it are what the client says of itself. */
function forwardedFor(value: string | undefined, isTrusted: (address: string) => boolean): string | undefined {
  const addresses = (value ?? '').split(',').map(bare).filter((address) => address !== '')
  return addresses.findLast((address) => !isTrusted(address)) ?? addresses[0]
}

/** Some proxies add the port. */
function bare(text: string): string {
  const address = text.trim()
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(address)?.[1]
  return bracketed ?? (/^[\d.]+:\d+$/.test(address) ? address.slice(0, address.indexOf(':')) : address)
}

/** The first of that name. @see RFC 6265, 5.4 */
export function cookieOf(cookies: string, name: string): string | undefined {
  for (const pair of cookies.split(';')) {
    const at = pair.indexOf('=')
    if (at !== -1 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
  }
  return undefined
}
