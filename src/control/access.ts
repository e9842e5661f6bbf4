/** Who may speak to the control server. On the unix socket the file system has decided; by TCP each request must show that it is no website's doing. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { refusal, type Answer } from './wire-error.ts'
import type { TcpAccess, Way } from './ports.ts'

/** What of a request decides. */
export interface Asked {
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly fetchSite: string | undefined
  readonly authorization: string | undefined
}

/**
 * Why a request is not answered; undefined when it may be.
 *
 * @see CVE-2018-7160 and CVE-2021-22884: a name that a website owns may lead to 127.0.0.1 (DNS rebinding)
 */
export function refuse(asked: Asked, way: Way, access: TcpAccess | undefined): Answer | undefined {
  if (asked.origin !== undefined && !isOwnOrigin(asked.origin, asked.host)) return refusal(403, 'requests of websites are not answered')
  if (asked.fetchSite !== undefined && asked.fetchSite !== 'same-origin' && asked.fetchSite !== 'none') return refusal(403, 'requests of websites are not answered')
  if (way === 'unix') return undefined
  if (!isLoopbackHost(asked.host)) return refusal(403, 'the Host header must be 127.0.0.1, [::1] or localhost')
  if (access === undefined || !hasToken(asked.authorization, access.token)) return refusal(401, 'the token is missing or wrong', 'Authorization: Bearer <token>; the token is in the file that the log names.')
  return undefined
}

/** A name that nobody else can make lead here. */
function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i.test(host)
}

function isOwnOrigin(origin: string, host: string | undefined): boolean {
  return isLoopbackHost(host) && origin.toLowerCase() === `http://${host?.toLowerCase()}`
}

/** Takes as long for a wrong one as for the right one; hashes are of one length. */
function hasToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer ([\dA-Fa-f]{1,128})$/.exec(authorization ?? '')?.[1] ?? ''
  return timingSafeEqual(digest(given), digest(token))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
