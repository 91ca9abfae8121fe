// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { createRandomStream, shuffle } from './random.ts'

const take = (count: number, seed: number, purpose: string): number[] => {
  const random = createRandomStream(seed, purpose)
  return Array.from({ length: count }, () => random.next())
}

describe('createRandomStream', () => {
  test('repeats itself for the same seed and purpose only', () => {
    expect(take(50, 3, 'a')).toEqual(take(50, 3, 'a'))
    expect(take(50, 3, 'a')).not.toEqual(take(50, 4, 'a'))
    expect(take(50, 3, 'a')).not.toEqual(take(50, 3, 'b'))
  })

  test('is uniform enough: 20,000 draws, ten bins', () => {
    const bins = new Array<number>(10).fill(0)
    for (const value of take(20_000, 11, 'bins')) {
      const bin = Math.floor(value * 10)
      bins[bin] = (bins[bin] as number) + 1
    }
    for (const count of bins) expect(Math.abs(count - 2000)).toBeLessThan(200)
  })

  test('normal() has mean 0 and deviation 1', () => {
    const random = createRandomStream(2, 'normal')
    const values = Array.from({ length: 20_000 }, () => random.normal())
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
    expect(mean).toBeCloseTo(0, 1)
    expect(variance).toBeCloseTo(1, 1)
  })
})

test('shuffle keeps every item and changes their order', () => {
  const items = Uint32Array.from({ length: 100 }, (_, index) => index)
  shuffle(items, createRandomStream(1, 'shuffle'))
  expect([...items]).not.toEqual([...items].sort((a, b) => a - b))
  expect(new Set(items).size).toBe(100)
})
