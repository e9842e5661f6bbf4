/** Medians, ratios of pairs, and tables as text. */

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  if (sorted.length === 0) return Number.NaN
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Median with the smallest and the largest. */
export function spread(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}

/** Ratios of what was measured in the same round, so that slow minutes of the machine cancel out. */
export function pairRatios(ours, theirs) {
  return ours.map((value, round) => value / theirs[round])
}

/** Differences of the same round. */
export function pairDifferences(ours, theirs) {
  return ours.map((value, round) => value - theirs[round])
}

export function format(value, digits = 1) {
  if (!Number.isFinite(value)) return '-'
  return value >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toFixed(digits)
}

/** `median (min-max)`. */
export function formatSpread(values, digits = 1) {
  const { median: middle, min, max } = spread(values.filter((value) => Number.isFinite(value)))
  if (!Number.isFinite(middle)) return '-'
  return `${format(middle, digits)} (${format(min, digits)}..${format(max, digits)})`
}

/** First column to the left, the others to the right. */
export function table(head, rows) {
  const all = [head, ...rows].map((row) => row.map(String))
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const line = (row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  ').trimEnd()
  return [line(all[0]), widths.map((width) => '-'.repeat(width)).join('  '), ...all.slice(1).map(line)].join('\n')
}
