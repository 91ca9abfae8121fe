// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { faultKind } from '../testing.ts'
import { counting, int64, list, results, unknownDims } from './testing.ts'

const x = counting(2, 3)

test('Reshape keeps, works out and lists dims', () => {
  expect(results('Reshape', [x, list(0, -1, 1)])).toEqual([
    [
      [2, 3, 1],
      [0, 1, 2, 3, 4, 5],
    ],
  ])
  expect(results('Reshape', [counting(0, 3), list(3, 0)], { allowzero: true })).toEqual([[[3, 0], []]])
  expect(results('Reshape', [counting(1), list()])).toEqual([[[], [0]]])
  expect(unknownDims('Reshape', [x, list(3, 2)], [1])).toEqual([[null, null]])
})

test('Reshape of nothing works out what can only be 0', () => {
  expect(results('Reshape', [counting(0, 3), list(-1, 3)])).toEqual([[[0, 3], []]])
  expect(faultKind('Reshape', [counting(0, 3), list(0, -1)])).toBe('mismatch')
})

test.each([
  ['another count', list(4, 2)],
  ['a dimension to keep that does not exist', list(1, 1, 0)],
  ['a remainder', list(4, -1)],
  ['two to be worked out', list(-1, -1)],
  ['a negative dimension', list(-2, -3)],
  ['what is not a list', int64([1, 2], [3, 2])],
])('Reshape refuses %s', (_what, asked) => {
  expect(faultKind('Reshape', [x, asked])).toBe('mismatch')
})

test('Shape and Size tell dims', () => {
  expect(results('Shape', [x])).toEqual([[[2], [2, 3]]])
  expect(results('Shape', [counting(2, 3, 4)], { start: -2, end: -1 })).toEqual([[[1], [3]]])
  expect(results('Shape', [x], { start: 5 })).toEqual([[[0], []]])
  expect(results('Shape', [counting()])).toEqual([[[0], []]])
  expect(results('Size', [counting(2, 0)])).toEqual([[[], [0]]])
  expect(results('Size', [counting()])).toEqual([[[], [1]]])
})
