import { assertNever } from '../base/assert-never.ts'
import type { BalanceName, Settings } from '../config/types.ts'

/** How connections are spread, and who said so; undefined with one worker, where nothing is spread. */
export function balanceText({ balance, balanceFrom, sizing }: Pick<Settings, 'balance' | 'balanceFrom' | 'sizing'>, holdsSockets: boolean): string | undefined {
  if (sizing.size === 1) return undefined
  if (!holdsSockets) return 'round-robin of node:cluster: this Node cannot hold sockets'
  if (typeof balance === 'function') return `a function (${balanceFrom}), else the least busy worker`
  return `${balance} (${balanceFrom}): ${meaning(balance)}`
}

function meaning(balance: BalanceName): string {
  switch (balance) {
    case 'least-busy':
      return 'workers accept, surplus goes to others'
    case 'shared':
      return 'workers accept, whoever is awake'
    case 'round-robin':
      return 'supervisor accepts, each in turn'
    default:
      return assertNever(balance)
  }
}
