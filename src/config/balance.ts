import { EverycoreError } from '../base/errors.ts'
import type { Host } from './host.ts'
import { BALANCES, type BalanceFunction, type BalanceName, type Found } from './types.ts'

/** Why the supervisor cannot pass connections on. */
export const NO_LINKS = 'on Windows connections stay with the worker that accepts them'

/**
 * The way to spread connections, if this system can do it.
 *
 * @throws EverycoreError ERR_EVERYCORE_SETTING
 */
export function resolveBalance({ value, where }: Found<BalanceName | BalanceFunction>, host: Host): BalanceName | BalanceFunction {
  if (value === 'round-robin' && host.platform === 'win32') {
    throw new EverycoreError('ERR_EVERYCORE_SETTING', `${where}: "round-robin" is not possible here`, { why: NO_LINKS, hint: 'use shared' })
  }
  if (value !== 'reuseport') return value
  const isLinux = host.platform === 'linux'
  if (isLinux && host.canReusePort()) return value
  const others = `another way to spread connections: ${BALANCES.filter((name) => name !== 'reuseport').join(', ')}`
  throw new EverycoreError('ERR_EVERYCORE_SETTING', `${where}: "reuseport" is not possible here`, {
    why: isLinux ? `Node ${host.nodeVersion} could not bind a second socket to a port (SO_REUSEPORT); Node 22.12 and later can` : 'only Linux spreads connections over several sockets of one port (SO_REUSEPORT)',
    hint: isLinux ? `use Node 22.12 or later, or ${others}` : `use ${others}`,
  })
}
