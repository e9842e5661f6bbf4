/** Curves of characters. */

/** Emptiest first. */
const BLOCKS = ' ▁▂▃▄▅▆▇█'
const ASCII = ' ._-=+*%#'

export interface ChartOptions {
  readonly columns: number
  readonly rows: number
  /** What a full column stands for; at least this, and as much as the largest value. */
  readonly least: number
  readonly unicode: boolean
}

/**
 * The newest values, the last at the right, as lines of exactly so many columns. A value that is not known leaves its column empty,
 * one that is not 0 never does.
 */
export function chart(values: readonly (number | null)[], { columns, rows, least, unicode }: ChartOptions): readonly string[] {
  const glyphs = unicode ? BLOCKS : ASCII
  const steps = glyphs.length - 1
  const shown = values.slice(-columns)
  const most = Math.max(least, ...shown.map((value) => value ?? 0))
  const heights = shown.map((value) => (value === null || value <= 0 || most <= 0 ? 0 : Math.max(1, Math.round((value / most) * rows * steps))))
  return Array.from({ length: rows }, (_, row) => {
    const below = (rows - 1 - row) * steps
    return heights.map((height) => glyphs[Math.min(steps, Math.max(0, height - below))] ?? ' ').join('').padStart(columns)
  })
}
