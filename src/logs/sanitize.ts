/** Ends every colour and attribute. */
export const SGR_RESET = '\u001B[0m'

/*
 * Everything that a terminal could act on: C0 but for tab, DEL, C1, and the characters that turn the
 * direction of writing (they can make a line read as another). No global flag: `test` keeps no state.
 */
const UNSAFE = /[\u0000-\u0008\u000A-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/u

/*
 * A colour (CSI, digits, `m`), or one unsafe character. Linear: a failed colour has looked at no
 * further ESC, so no character is looked at more than twice. CSI with a private marker, as in
 * `ESC[>4;2m`, is no colour.
 */
const COLOUR_OR_UNSAFE =
  /\u001B\[[0-9;:]{0,64}m|[\u0000-\u0008\u000A-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/gu

const RESETS: ReadonlySet<string> = new Set([SGR_RESET, '\u001B[m', '\u001B[00m'])

/** How each character below U+0100 is shown. A table, because a line may be nothing else. */
const BYTES_SHOWN: readonly string[] = Array.from({ length: 0x100 }, (_, code) => `\\x${code.toString(16).padStart(2, '0')}`)

/**
 * Makes text harmless for a terminal: control characters are shown (`\x1b`) and not sent, so that no
 * sequence can move the cursor, set the title or answer the shell. Colours pass when `color` is
 * true, with a reset at the end when the text leaves one on, and vanish when it is false. Applying
 * it twice gives the same text.
 *
 * @see CVE-2009-4487 and its family; ECMA-48 for the sequences.
 */
export function sanitize(text: string, color: boolean): string {
  if (!UNSAFE.test(text)) return text
  let last = SGR_RESET
  const safe = text.replace(COLOUR_OR_UNSAFE, (match) => {
    if (match.length === 1) return visible(match)
    if (!color) return ''
    last = match
    return match
  })
  return RESETS.has(last) ? safe : safe + SGR_RESET
}

/** The bytes of a line as harmless text; what is no UTF-8 becomes U+FFFD. */
export function sanitizeBytes(bytes: Buffer, color: boolean): string {
  return sanitize(bytes.toString('utf8'), color)
}

function visible(character: string): string {
  const code = character.charCodeAt(0)
  return BYTES_SHOWN[code] ?? `\\u${code.toString(16)}`
}
