// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { classDimension } from './classes.ts'

test.each([
  [[1, 1000], 1],
  [[1, 1000, 1, 1], 1],
  [[1, 1000, 1, 7], 3],
  [['batch', 10], 1],
  [[8, 1], 1],
  [[1, 1, 1, 1], 1],
  [[2, 5, 'classes'], 2],
  [[10], 0],
  [[], -1],
])('classes of %j are dimension %d', (shape, dimension) => {
  expect(classDimension(shape)).toBe(dimension)
})
