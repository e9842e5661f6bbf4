/** Tells texts apart. Not secret, and as quick as a start must be: FNV-1a, 32 bits, as hexadecimal digits. */
export function shortHash(text: string): string {
  let hash = 0x81_1c_9d_c5
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01_00_01_93)
  return (hash >>> 0).toString(16)
}
