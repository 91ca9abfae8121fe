// SPDX-License-Identifier: Apache-2.0
// Operators whose result depends on values: NonZero, Compress, Unique, TopK; and those that make elements: Range, EyeLike, Trilu.

import { describe, expect, test } from 'vitest'
import { faultKind } from '../testing.ts'
import { counting, float32, int64, list, results, tensor, unknownDims } from './testing.ts'

test('NonZero gives indices, one row per dimension', () => {
  expect(results('NonZero', [float32([2, 2], [1, 0, Number.NaN, -0])])).toEqual([
    [
      [2, 2],
      [0, 1, 0, 0],
    ],
  ])
  expect(results('NonZero', [list(0, 7)])).toEqual([[[1, 1], [1]]])
  expect(results('NonZero', [tensor('bool', [], [1])])).toEqual([[[1, 1], [0]]])
  expect(results('NonZero', [counting(0, 3)])).toEqual([[[2, 0], []]])
  expect(unknownDims('NonZero', [counting(2, 2)], [0])).toEqual([[2, null]])
  expect(faultKind('NonZero', [tensor('float16', [1], [0x8000])])).toBe('unsupported')
})

describe('Compress', () => {
  const flags = (...values: number[]) => tensor('bool', [values.length], values)

  test('takes the slices for which the condition holds', () => {
    expect(results('Compress', [counting(3, 2), flags(0, 1)])).toEqual([
      [
        [1, 2],
        [2, 3],
      ],
    ])
    expect(results('Compress', [counting(3, 2), flags(1, 1)], { axis: -1 })).toEqual([
      [
        [3, 2],
        [0, 1, 2, 3, 4, 5],
      ],
    ])
    expect(results('Compress', [counting(3), flags()])).toEqual([[[0], []]])
    expect(unknownDims('Compress', [counting(3, 2), flags(0, 1)], [1])).toEqual([[null, 2]])
  })

  test('refuses a condition that does not fit', () => {
    expect(faultKind('Compress', [counting(1), flags(0, 1)])).toBe('mismatch')
    expect(faultKind('Compress', [counting(1), list(1)])).toBe('unsupported')
  })
})

describe('Unique', () => {
  const given = float32([6], [2, 1, 1, 3, 4, 3])

  test('of a list, in order or as they come', () => {
    expect(results('Unique', [given], {}, 4)).toEqual([
      [[4], [1, 2, 3, 4]],
      [[4], [1, 0, 3, 4]],
      [[6], [1, 0, 0, 2, 3, 2]],
      [[4], [2, 1, 2, 1]],
    ])
    expect(results('Unique', [given], { sorted: false }, 4)).toEqual([
      [[4], [2, 1, 3, 4]],
      [[4], [0, 1, 3, 4]],
      [[6], [0, 1, 1, 2, 3, 2]],
      [[4], [1, 2, 2, 1]],
    ])
  })

  test('of slices, and of NaN', () => {
    expect(results('Unique', [float32([2, 3], [1, 0, 1, 2, 3, 2])], { axis: 1 }, 2)).toEqual([
      [
        [2, 2],
        [0, 1, 3, 2],
      ],
      [[2], [1, 0]],
    ])
    expect(results('Unique', [float32([3], [Number.NaN, 1, Number.NaN])])).toEqual([[[2], [1, Number.NaN]]])
    expect(results('Unique', [int64([0], [])], {}, 4).map(([dims]) => dims)).toEqual([[0], [0], [0], [0]])
    expect(unknownDims('Unique', [given], [0], {}, 4)).toEqual([[null], [null], [6], [null]])
  })
})

describe('TopK', () => {
  const given = float32([5], [3, 1, 3, 5, 1])

  test('gives the earlier of equal elements first', () => {
    expect(results('TopK', [given, list(3)], {}, 2)).toEqual([
      [[3], [5, 3, 3]],
      [[3], [3, 0, 2]],
    ])
    expect(results('TopK', [given, list(3)], { largest: false, sorted: false }, 2)).toEqual([
      [[3], [1, 1, 3]],
      [[3], [1, 4, 0]],
    ])
  })

  test('along any axis, of any dtype', () => {
    expect(results('TopK', [counting(2, 3), list(1)], { axis: 0 }, 2)).toEqual([
      [
        [1, 3],
        [3, 4, 5],
      ],
      [
        [1, 3],
        [1, 1, 1],
      ],
    ])
    expect(results('TopK', [list(5, -7, 9), int64([], [2])], { largest: false })).toEqual([[[2], [-7, 5]]])
    expect(results('TopK', [given, list(0)], {}, 2)).toEqual([
      [[0], []],
      [[0], []],
    ])
    expect(unknownDims('TopK', [counting(2, 3), list(1)], [1])).toEqual([
      [2, null],
      [2, null],
    ])
  })

  test('agrees with sorting everything', () => {
    const values = Array.from({ length: 200 }, (_, i) => (i * 7919) % 31)
    const sorted = values.map((value, i) => [value, i] as const).sort((a, b) => b[0] - a[0] || a[1] - b[1])
    const [[, top] = [], [, places] = []] = results('TopK', [float32([200], values), list(70)], {}, 2)
    expect(top).toEqual(sorted.slice(0, 70).map(([value]) => value))
    expect(places).toEqual(sorted.slice(0, 70).map(([, i]) => i))
  })

  test('takes NaN for the largest', () => {
    expect(results('TopK', [float32([3], [1, Number.NaN, 2]), list(2)])).toEqual([[[2], [Number.NaN, 2]]])
    expect(results('TopK', [float32([3], [1, Number.NaN, 2]), list(2)], { largest: false })).toEqual([
      [[2], [1, 2]],
    ])
  })

  test('refuses more than there are', () => {
    expect(faultKind('TopK', [given, list(6)])).toBe('mismatch')
    expect(faultKind('TopK', [given, list(-1)])).toBe('value')
    expect(faultKind('TopK', [given, list(1, 1)])).toBe('mismatch')
  })
})

describe('Range', () => {
  const scalars = (dtype: 'float32' | 'int64' | 'int32', ...values: number[]) =>
    values.map((value) => tensor(dtype, [], [value]))

  test.each<['float32' | 'int64' | 'int32', number[], number[]]>([
    ['int64', [0, 5, 2], [0, 2, 4]],
    ['int64', [0, 4, 2], [0, 2]],
    ['int64', [5, 0, -2], [5, 3, 1]],
    ['int64', [3, 3, -1], []],
    ['int64', [3, 0, 1], []],
    ['int32', [10, 4, -2], [10, 8, 6]],
    ['float32', [1, 2, 0.25], [1, 1.25, 1.5, 1.75]],
    ['float32', [0, -1, -0.5], [0, -0.5]],
    ['float32', [0, -1, 1], []],
  ])('of %s from, to and by %j', (dtype, given, expected) => {
    expect(results('Range', scalars(dtype, ...given))).toEqual([[[expected.length], expected]])
  })

  test('refuses a step of 0, and no end', () => {
    expect(faultKind('Range', scalars('int64', 0, 1, 0))).toBe('value')
    expect(faultKind('Range', scalars('float32', 0, Number.POSITIVE_INFINITY, 1))).toBe('value')
    expect(faultKind('Range', scalars('float32', 0, Number.NaN, 1))).toBe('value')
    expect(faultKind('Range', [list(0, 1), list(1), list(1)])).toBe('mismatch')
    expect(unknownDims('Range', scalars('int64', 0, 1, 1), [1])).toEqual([[null]])
  })
})

test('EyeLike writes a diagonal', () => {
  expect(results('EyeLike', [counting(2, 3)], { k: 1 })).toEqual([
    [
      [2, 3],
      [0, 1, 0, 0, 0, 1],
    ],
  ])
  expect(results('EyeLike', [counting(3, 2)], { k: -2, dtype: 'int64' })).toEqual([
    [
      [3, 2],
      [0, 0, 0, 0, 1, 0],
    ],
  ])
  expect(results('EyeLike', [counting(2, 2)], { k: 2 ** 31 - 1, dtype: 'bool' })).toEqual([
    [
      [2, 2],
      [0, 0, 0, 0],
    ],
  ])
  expect(faultKind('EyeLike', [counting(2)])).toBe('mismatch')
})

describe('Trilu', () => {
  const x = counting(2, 2, 3)

  test('keeps a triangle of each matrix', () => {
    expect(results('Trilu', [x])).toEqual([
      [
        [2, 2, 3],
        [0, 1, 2, 0, 4, 5, 6, 7, 8, 0, 10, 11],
      ],
    ])
    expect(results('Trilu', [x], { upper: false })).toEqual([
      [
        [2, 2, 3],
        [0, 0, 0, 3, 4, 0, 6, 0, 0, 9, 10, 0],
      ],
    ])
    expect(results('Trilu', [int64([2, 2], [1, 2, 3, 4]), list(-1)])).toEqual([
      [
        [2, 2],
        [1, 2, 3, 4],
      ],
    ])
    expect(results('Trilu', [int64([2, 2], [1, 2, 3, 4]), list(2 ** 62)])).toEqual([
      [
        [2, 2],
        [0, 0, 0, 0],
      ],
    ])
    expect(results('Trilu', [counting(0, 2)])).toEqual([[[0, 2], []]])
  })

  test('refuses what is not a matrix', () => {
    expect(faultKind('Trilu', [counting(2)])).toBe('mismatch')
    expect(faultKind('Trilu', [x, list(1, 1)])).toBe('mismatch')
  })
})

test('Dropout passes on, and refuses to train', () => {
  const x = counting(2)
  const on = tensor('bool', [], [1])
  expect(results('Dropout', [x, float32([], [0]), on], {}, 2)).toEqual([
    [[2], [0, 1]],
    [[2], [1, 1]],
  ])
  expect(results('Dropout', [x, null, tensor('bool', [], [0])])).toEqual([[[2], [0, 1]]])
  expect(faultKind('Dropout', [x, null, on])).toBe('unsupported')
  expect(faultKind('Dropout', [x, list(0, 0)])).toBe('mismatch')
})
