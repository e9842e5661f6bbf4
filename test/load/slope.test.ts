import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quantile, theilSen } from '../chaos/slope.ts'

test('the slope of a line with outliers is the slope of the line', () => {
  const points = Array.from({ length: 30 }, (_, x) => ({ x, y: x % 9 === 4 ? 1000 : 3 * x + 7 }))
  assert.ok(Math.abs(theilSen(points) - 3) < 0.01)
})

test('quantiles lie between the values', () => {
  assert.deepEqual([quantile([4, 1, 3, 2], 0), quantile([4, 1, 3, 2], 0.5), quantile([4, 1, 3, 2], 1)], [1, 2.5, 4])
  assert.ok(Number.isNaN(quantile([], 0.5)))
})
