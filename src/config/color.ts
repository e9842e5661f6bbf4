import type { Environment } from './collect.ts'

/**
 * Whether to colour when no setting says so. As in Node, FORCE_COLOR wins over NO_COLOR.
 *
 * @see https://nodejs.org/api/tty.html#writestreamgetcolordepthenv
 * @see https://no-color.org
 */
export function colorFor(env: Environment, isTTY: boolean): boolean {
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  const isRefused = isSet(env['NO_COLOR']) || isSet(env['NODE_DISABLE_COLORS']) || env['TERM'] === 'dumb'
  return isTTY && !isRefused
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== ''
}
