/** How clients are told apart, and what fits together. */
import { NO_LINKS } from './balance.ts'
import type { Values } from './collect.ts'
import type { Host } from './host.ts'
import { settingError, type Problems } from './problems.ts'
import type { StickySettings } from './types.ts'

/** Puts them together. Settings that contradict each other, or have no effect, are problems. */
export function resolveSticky(values: Values, problems: Problems, { platform }: Pick<Host, 'platform'>): StickySettings | undefined {
  const sticky = values.sticky
  const balance = values.balance
  const trusted = values.trustedProxies
  const factor = values.stickyFactor
  if (sticky.value === undefined) {
    // A wrong one makes nothing else wrong.
    if (sticky.origin !== 'default') return undefined
    for (const { origin, where } of [trusted, factor]) {
      if (origin !== 'default') problems.add(settingError(`${where} has no effect without --sticky`, 'Add --sticky ip, or leave it out.'))
    }
    return undefined
  }
  if (platform === 'win32') problems.add(settingError(`${sticky.where} is not possible here: ${NO_LINKS}`, 'Leave it out.'))
  if (balance.origin !== 'default') {
    problems.add(settingError(`${sticky.where} and ${balance.where} contradict each other`, 'With --sticky the client decides which worker gets a connection: leave out the balance.'))
  }
  if (trusted.value.length > 0 && sticky.value.by !== 'ip') {
    problems.add(settingError(`${trusted.where} has no effect with --sticky ${sticky.value.by}`, 'It says whose X-Forwarded-For and PROXY header to believe, for --sticky ip.'))
  }
  return { ...sticky.value, trusted: trusted.value, factor: factor.value }
}
