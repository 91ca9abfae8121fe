// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from 'vitest'
import { faultKind } from '../testing.ts'
import { counting, list, results, tensor, unknownDims } from './testing.ts'

const x = counting(2, 1, 3)
const elements = [0, 1, 2, 3, 4, 5]

test('Identity keeps dtype, dims and elements', () => {
  expect(results('Identity', [tensor('bool', [2], [1, 0])])).toEqual([[[2], [1, 0]]])
  expect(results('Identity', [counting()])).toEqual([[[], [0]]])
})

describe('Flatten', () => {
  test.each([
    [0, [1, 6]],
    [1, [2, 3]],
    [2, [2, 3]],
    [3, [6, 1]],
    [-1, [2, 3]],
  ])('at axis %d gives %j', (axis, dims) => {
    expect(results('Flatten', [x], { axis })).toEqual([[dims, elements]])
  })

  test('of a scalar and of nothing', () => {
    expect(results('Flatten', [counting()], { axis: 0 })).toEqual([[[1, 1], [0]]])
    expect(results('Flatten', [counting(0, 3)])).toEqual([[[0, 3], []]])
  })

  test('refuses an axis out of range', () => {
    expect(faultKind('Flatten', [x], { axis: 4 })).toBe('mismatch')
  })
})

describe('Squeeze', () => {
  test('leaves out the axes that are named, or all of 1', () => {
    expect(results('Squeeze', [counting(1, 2, 1), list(-1)])).toEqual([
      [
        [1, 2],
        [0, 1],
      ],
    ])
    expect(results('Squeeze', [counting(1, 2, 1)])).toEqual([[[2], [0, 1]]])
    expect(results('Squeeze', [counting(1, 2, 1), list()])).toEqual([
      [
        [1, 2, 1],
        [0, 1],
      ],
    ])
  })

  test('knows its rank before it knows the axes', () => {
    expect(unknownDims('Squeeze', [x, list(1)], [1])).toEqual([[null, null]])
  })

  test.each([
    ['a dimension other than 1', list(0)],
    ['an axis out of range', list(3)],
    ['an axis named twice', list(1, -2)],
    ['more axes than there are', list(1, 1, 1, 1)],
    ['axes that are not a list', counting(1, 1)],
  ])('refuses %s', (_what, axes) => {
    expect(faultKind('Squeeze', [x, axes])).toBe(axes.dtype === 'int64' ? 'mismatch' : 'unsupported')
  })
})

describe('Unsqueeze', () => {
  test('puts dims of 1 at the axes of the result', () => {
    expect(results('Unsqueeze', [counting(2), list(0, -1)])).toEqual([
      [
        [1, 2, 1],
        [0, 1],
      ],
    ])
    expect(results('Unsqueeze', [counting(), list(0)])).toEqual([[[1], [0]]])
    expect(unknownDims('Unsqueeze', [x, list(1)], [1])).toEqual([[null, null, null, null]])
  })

  test('refuses axes that are named twice or lie outside', () => {
    expect(faultKind('Unsqueeze', [x, list(0, 0)])).toBe('mismatch')
    expect(faultKind('Unsqueeze', [x, list(4)])).toBe('mismatch')
    expect(faultKind('Unsqueeze', [x])).toBe('mismatch')
  })
})
