// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { estimateMedian, medianOf } from './statistics.ts'

test('the median of an even number of values lies between the middle two', () => {
  expect(medianOf([4, 1, 3, 2])).toBe(2.5)
  expect(medianOf([3, 1, 2])).toBe(2)
})

/** How often at least `count` of n fair coins show heads, or at least as many tails. */
function bothTails(n: number, count: number): number {
  let ways = 1
  let below = 0
  for (let k = 0; k < count; k++) {
    below += ways
    ways = (ways * (n - k)) / (k + 1)
  }
  return (2 * below) / 2 ** n
}

test.each([6, 7, 20, 21, 100])(
  'of %i values the interval holds the median in 95 of 100 cases, and no more is cut',
  (n) => {
    const { median, low, high } = estimateMedian(Array.from({ length: n }, (_, i) => i + 1).toReversed())
    expect(median).toBe((n + 1) / 2)
    expect(low + high).toBe(n + 1)
    // It misses where fewer than `low` values lie on one side of the true median.
    expect(bothTails(n, low)).toBeLessThanOrEqual(0.05)
    expect(bothTails(n, low + 1)).toBeGreaterThan(0.05)
  },
)

test('of a few values it is their range', () => {
  expect(estimateMedian([5, 1, 3])).toEqual({ median: 3, low: 1, high: 5 })
})
