import { assertNever } from '../base/assert-never.ts'
import type { BalanceName, Settings, StickyKey } from '../config/types.ts'

/** How connections are spread, and who said so; undefined with one worker, where nothing is spread. */
export function balanceText({ balance, balanceFrom, sticky, sizing }: Pick<Settings, 'balance' | 'balanceFrom' | 'sticky' | 'sizing'>, holdsSockets: boolean): string | undefined {
  if (sizing.most === 1) return undefined
  if (!holdsSockets) return 'round-robin of node:cluster: this Node cannot hold sockets'
  if (sticky !== undefined) return `sticky by ${stickyMeaning(sticky)}`
  if (typeof balance === 'function') return `a function (${balanceFrom}), else the least busy worker`
  return `${balance} (${balanceFrom}): ${meaning(balance)}`
}

function meaning(balance: BalanceName): string {
  switch (balance) {
    case 'least-busy':
      return 'workers accept, surplus goes to others'
    case 'shared':
      return 'workers accept, whoever is awake'
    case 'reuseport':
      return 'workers accept, each from a socket of its own'
    case 'round-robin':
      return 'supervisor accepts, each in turn'
    default:
      return assertNever(balance)
  }
}

function stickyMeaning({ by, name }: StickyKey): string {
  switch (by) {
    case 'ip':
      return 'address: each client to one worker'
    case 'cookie':
      return name === null ? 'cookie: each client to one worker' : `cookie ${name}: each client to one worker`
    case 'header':
      return `header ${name}: each client to one worker`
    case 'function':
      return 'a function: each client to one worker'
    default:
      return assertNever(by)
  }
}
