/**
 * Whether the header `Host` names this machine. On a loopback address nobody else has a reason to ask: a page of the web
 * whose name was made to lead here has its own name there (DNS rebinding).
 */
export function isOwnHost(host: string | undefined): boolean {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/.exec(host ?? '') ?? []
  return isLoopback((bracketed ?? plain ?? '').toLowerCase())
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address === 'localhost' || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(address)
}
