/** The Theil-Sen slope: the median of the slopes between all pairs of points. A few outliers do not move it. */
export interface Point {
  readonly x: number
  readonly y: number
}

export function theilSen(points: readonly Point[]): number {
  const slopes = points.flatMap((a, index) => points.slice(index + 1).flatMap((b) => (a.x === b.x ? [] : [(b.y - a.y) / (b.x - a.x)])))
  return median(slopes)
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** NaN for no values. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * part
  const [below = Number.NaN, above = Number.NaN] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  return below + (above - below) * (at - Math.floor(at))
}
