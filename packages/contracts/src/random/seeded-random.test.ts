// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { seededRandom } from './seeded-random.ts'

test('the same seed gives the same numbers, others others, spread evenly over [0, 1)', () => {
  const take = (seed: number, count: number) => Array.from({ length: count }, seededRandom(seed))
  expect(take(7, 5)).toEqual(take(7, 5))
  expect(take(7, 5)).not.toEqual(take(8, 5))
  const many = take(1, 100_000)
  expect(many.every((it) => it >= 0 && it < 1)).toBe(true)
  const counts = new Array(10).fill(0)
  for (const it of many) counts[Math.floor(it * 10)]++
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500)
})
