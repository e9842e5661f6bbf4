import { shortHash } from '../base/hash.ts'
import type { Launch } from '../config/types.ts'

/** Tells sets of arguments of Node apart. */
export function flagsHash({ nodeArgs, env }: Pick<Launch, 'nodeArgs' | 'env'>): string {
  return shortHash([...nodeArgs, env['NODE_OPTIONS'] ?? ''].join('\0'))
}
