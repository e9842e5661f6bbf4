/** Text for the screen: made harmless, measured in columns, cut, coloured. Nothing is drawn that has not gone through `lineOf`. */
import { styleText } from 'node:util'
import stringWidth from 'string-width'
import { sanitize } from '../logs/sanitize.ts'

/** What the terminal can show. */
export interface Look {
  readonly color: boolean
  /** Whether its locale is UTF-8; otherwise nothing but ASCII is written. */
  readonly unicode: boolean
}

export type Style = 'bold' | 'dim' | 'inverse' | 'red' | 'yellow' | 'green' | 'cyan'

/** A piece of a line. The text may come from anywhere. */
export interface Span {
  readonly text: string
  readonly style?: Style | undefined
}

/** A column of a screen may hold a letter with a few accents; nobody reads one with more. */
const MOST_UNITS_PER_COLUMN = 8
const NOT_ASCII = /[^\u0020-\u007E]/gu
/** ASCII, and the rules and blocks that are drawn here: one column each. To measure other text takes a hundred times as long. */
const NARROW = /^[\u0020-\u007E\u2500-\u259F]*$/

/** One line of at most so many columns. What does not fit ends with a mark. */
export function lineOf(spans: readonly Span[], columns: number, look: Look): string {
  let left = columns
  let line = ''
  for (const { text, style } of spans) {
    if (left <= 0) break
    const shown = cut(harmless(text, columns, look), left, look)
    left -= widthOf(shown)
    line += style === undefined || !look.color || shown === '' ? shown : styleText(style, shown, { validateStream: false })
  }
  return line.trimEnd()
}

/** The text in so many columns, filled with spaces. */
export function pad(text: string, columns: number, align: 'left' | 'right', look: Look): string {
  const shown = cut(harmless(text, columns, look), columns, look)
  const space = ' '.repeat(Math.max(0, columns - widthOf(shown)))
  return align === 'left' ? shown + space : space + shown
}

/** A rule to the end of the line. */
export function rule(columns: number, { unicode }: Look): string {
  return (unicode ? '─' : '-').repeat(Math.max(0, columns))
}

function harmless(text: string, columns: number, { unicode }: Look): string {
  const safe = sanitize(text.slice(0, columns * MOST_UNITS_PER_COLUMN), false).replaceAll('\t', '  ')
  return unicode ? safe : safe.replaceAll(NOT_ASCII, '?')
}

function cut(text: string, columns: number, { unicode }: Look): string {
  if (widthOf(text) <= columns) return text
  let shown = ''
  let used = 0
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += widthOf(segment)
    if (used > columns - 1) break
    shown += segment
  }
  return shown + (unicode ? '…' : '~')
}

function widthOf(text: string): number {
  return NARROW.test(text) ? text.length : stringWidth(text)
}
