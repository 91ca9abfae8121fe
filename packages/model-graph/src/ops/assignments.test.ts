// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { assignments } from './assignments.ts'

const listed = (...args: Parameters<typeof assignments>) =>
  [...assignments(...args)].map((it) =>
    [...it]
      .sort()
      .map(([name, size]) => `${name}${size}`)
      .join(' '),
  )

test('gives each name each number', () => {
  expect(listed(['a', 'b'], [1, 2, 3], 100)).toEqual([
    ...['a1 b1', 'a1 b2', 'a1 b3'],
    ...['a2 b1', 'a2 b2', 'a2 b3'],
    ...['a3 b1', 'a3 b2', 'a3 b3'],
  ])
  expect(listed([], [1, 2], 100)).toEqual([''])
})

test('stops at the limit', () => {
  expect(listed(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'], [1, 2, 3, 4, 5, 6], 500).length).toBe(500)
})
