import type { Launch } from '../config/types.ts'

/** Tells sets of arguments of Node apart. Not secret, and as quick as a start must be: FNV-1a, 32 bits. */
export function flagsHash({ nodeArgs, env }: Pick<Launch, 'nodeArgs' | 'env'>): string {
  let hash = 0x81_1c_9d_c5
  for (const char of [...nodeArgs, env['NODE_OPTIONS'] ?? ''].join('\0')) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01_00_01_93)
  return (hash >>> 0).toString(16)
}
