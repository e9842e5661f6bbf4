/** One line in, its words out, in the two dialects that settings come in. */

/** `shell`: as `--node-args` is written. `node`: as node itself splits NODE_OPTIONS. */
export type WordDialect = 'shell' | 'node'

/**
 * Splits at white space that no quote protects; quotes may stand within a word. The shell dialect has
 * both kinds of quotes and a backslash that protects the next character (but in single quotes); the node
 * dialect has double quotes, and backslashes in them only. Nothing is expanded.
 *
 * @returns undefined when a quote is not closed.
 */
export function splitWords(text: string, dialect: WordDialect = 'shell'): readonly string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  let quote: string | undefined
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charAt(index)
    const escapes = dialect === 'shell' ? quote !== "'" : quote !== undefined
    if (char === '\\' && escapes && index + 1 < text.length) {
      index += 1
      word = (word ?? '') + text.charAt(index)
    } else if (quote === undefined && /\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (quote === undefined ? char === '"' || (char === "'" && dialect === 'shell') : char === quote) {
      quote = quote === undefined ? char : undefined
      word ??= ''
    } else {
      word = (word ?? '') + char
    }
  }
  if (word !== undefined) words.push(word)
  return quote === undefined ? words : undefined
}

/** The words as a value of NODE_OPTIONS, double quotes where node would split. */
export function joinNodeOptions(words: readonly string[]): string {
  return words.map((word) => (/[\s"]/.test(word) ? `"${word.replaceAll(/["\\]/g, String.raw`\$&`)}"` : word)).join(' ')
}
