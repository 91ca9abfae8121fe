// SPDX-License-Identifier: Apache-2.0
// Gather, Scatter and their kin: operators that look elements up by index.

import { describe, expect, test } from 'vitest'
import { faultKind } from '../testing.ts'
import { counting, float32, int64, list, results, tensor } from './testing.ts'

const x = counting(3, 2)

describe('Gather', () => {
  test('takes slices along an axis, in any order', () => {
    expect(results('Gather', [x, list(2, 0, -1)])).toEqual([
      [
        [3, 2],
        [4, 5, 0, 1, 4, 5],
      ],
    ])
    expect(results('Gather', [x, int64([1, 2], [1, 1])], { axis: 1 })).toEqual([
      [
        [3, 1, 2],
        [1, 1, 3, 3, 5, 5],
      ],
    ])
    expect(results('Gather', [x, int64([], [1])])).toEqual([[[2], [2, 3]]])
    expect(results('Gather', [x, tensor('int32', [0], [])])).toEqual([[[0, 2], []]])
    expect(results('Gather', [counting(2, 20), list(1)])[0]?.[1]).toEqual(
      Array.from({ length: 20 }, (_, i) => 20 + i),
    )
    expect(results('Gather', [tensor('bool', [2], [1, 0]), list(1, 0)])).toEqual([[[2], [0, 1]]])
  })

  test('refuses indices out of range, and those that are not integers', () => {
    expect(faultKind('Gather', [x, list(3)])).toBe('value')
    expect(faultKind('Gather', [x, list(-4)])).toBe('value')
    expect(faultKind('Gather', [counting(0, 2), list(0)])).toBe('value')
    expect(faultKind('Gather', [x, float32([1], [0])])).toBe('unsupported')
    expect(faultKind('Gather', [x, list(0)], { axis: 2 })).toBe('mismatch')
  })
})

describe('GatherElements', () => {
  test('takes one element per index', () => {
    expect(results('GatherElements', [x, int64([2, 2], [2, 0, -1, 1])])).toEqual([
      [
        [2, 2],
        [4, 1, 4, 3],
      ],
    ])
    expect(results('GatherElements', [x, int64([2, 3], [1, 0, 1, 0, 0, 0])], { axis: 1 })).toEqual([
      [
        [2, 3],
        [1, 0, 1, 2, 2, 2],
      ],
    ])
    expect(results('GatherElements', [x, int64([0, 2], [])])).toEqual([[[0, 2], []]])
  })

  test('refuses indices that do not fit', () => {
    expect(faultKind('GatherElements', [x, int64([1, 3], [0, 0, 0])])).toBe('mismatch')
    expect(faultKind('GatherElements', [x, list(0)])).toBe('mismatch')
    expect(faultKind('GatherElements', [x, int64([1, 1], [3])])).toBe('value')
  })
})

describe('GatherND', () => {
  test('takes the block that each tuple names', () => {
    expect(results('GatherND', [x, int64([2, 2], [0, 1, 2, 0])])).toEqual([[[2], [1, 4]]])
    expect(results('GatherND', [x, int64([2, 1], [2, -3])])).toEqual([
      [
        [2, 2],
        [4, 5, 0, 1],
      ],
    ])
    expect(results('GatherND', [counting(2, 2, 2), int64([2, 1], [1, 0])], { batch_dims: 1 })).toEqual([
      [
        [2, 2],
        [2, 3, 4, 5],
      ],
    ])
    expect(results('GatherND', [x, int64([2, 0], [])])).toEqual([
      [
        [2, 3, 2],
        [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5],
      ],
    ])
    expect(results('GatherND', [x, int64([0, 1], [])])).toEqual([[[0, 2], []]])
  })

  test('refuses tuples that do not fit', () => {
    expect(faultKind('GatherND', [x, int64([1, 3], [0, 0, 0])])).toBe('mismatch')
    expect(faultKind('GatherND', [x, int64([], [0])])).toBe('mismatch')
    expect(faultKind('GatherND', [x, int64([2, 1], [0, 0])], { batch_dims: 1 })).toBe('mismatch')
    expect(faultKind('GatherND', [x, int64([3, 1], [0, 0, 0])], { batch_dims: -1 })).toBe('mismatch')
    expect(faultKind('GatherND', [x, int64([1, 2], [0, 2])])).toBe('value')
  })
})

describe('ScatterElements', () => {
  const data = float32([3], [1, 2, 3])
  const indices = list(1, 1, -1)
  const updates = float32([3], [10, 5, -4])

  test.each([
    ['none', [1, 5, -4]],
    ['add', [1, 17, -1]],
    ['mul', [1, 100, -12]],
    ['min', [1, 2, -4]],
    ['max', [1, 10, 3]],
  ])('with reduction %s', (reduction, expected) => {
    expect(results('ScatterElements', [data, indices, updates], { reduction })).toEqual([[[3], expected]])
  })

  test('along any axis, and of integers that wrap', () => {
    expect(results('ScatterElements', [x, int64([1, 1], [1]), float32([1, 1], [9])], { axis: -1 })).toEqual([
      [
        [3, 2],
        [0, 9, 2, 3, 4, 5],
      ],
    ])
    const big = tensor('int32', [1], [2 ** 31 - 1])
    expect(results('ScatterElements', [big, list(0), big], { reduction: 'mul' })).toEqual([[[1], [1]]])
    expect(results('ScatterElements', [big, list(0), big], { reduction: 'add' })).toEqual([[[1], [-2]]])
    const largest = int64([1], [-(2 ** 63)])
    expect(results('ScatterElements', [largest, list(0), largest], { reduction: 'add' })).toEqual([
      [[1], [0]],
    ])
    expect(results('ScatterElements', [data, int64([0], []), float32([0], [])])).toEqual([[[3], [1, 2, 3]]])
  })

  test('keeps NaN from either side', () => {
    const pair = float32([2], [Number.NaN, 1])
    const swapped = float32([2], [1, Number.NaN])
    for (const reduction of ['min', 'max']) {
      expect(results('ScatterElements', [pair, list(0, 1), swapped], { reduction })).toEqual([
        [[2], [Number.NaN, Number.NaN]],
      ])
    }
  })

  test('refuses operands that do not fit', () => {
    expect(faultKind('ScatterElements', [data, list(3), float32([1], [0])])).toBe('value')
    expect(faultKind('ScatterElements', [data, list(0), float32([2], [0, 0])])).toBe('mismatch')
    expect(faultKind('ScatterElements', [data, list(0), list(0)])).toBe('mismatch')
    const flags = tensor('bool', [1], [1])
    expect(faultKind('ScatterElements', [flags, list(0), flags], { reduction: 'add' })).toBe('unsupported')
    expect(results('ScatterElements', [flags, list(0), flags], { reduction: 'min' })).toEqual([[[1], [1]]])
    // The bits of a float16 are moved, and not computed with.
    const half = tensor('float16', [1], [0x3c00])
    expect(results('ScatterElements', [half, list(0), half])).toEqual([[[1], [0x3c00]]])
    for (const reduction of ['add', 'max'])
      expect(faultKind('ScatterElements', [half, list(0), half], { reduction })).toBe('unsupported')
  })
})

describe('ScatterND', () => {
  test('writes over blocks', () => {
    expect(results('ScatterND', [x, int64([1, 1], [-1]), float32([1, 2], [8, 9])])).toEqual([
      [
        [3, 2],
        [0, 1, 2, 3, 8, 9],
      ],
    ])
    const twice = int64([2, 2], [0, 1, 0, 1])
    expect(results('ScatterND', [x, twice, float32([2], [3, 4])], { reduction: 'add' })).toEqual([
      [
        [3, 2],
        [0, 8, 2, 3, 4, 5],
      ],
    ])
    expect(results('ScatterND', [x, int64([0, 1], []), float32([0, 2], [])], { reduction: 'max' })).toEqual([
      [
        [3, 2],
        [0, 1, 2, 3, 4, 5],
      ],
    ])
  })

  test('refuses operands that do not fit', () => {
    expect(faultKind('ScatterND', [x, int64([1, 1], [3]), float32([1, 2], [8, 9])])).toBe('value')
    expect(faultKind('ScatterND', [x, int64([1, 1], [0]), float32([2], [8, 9])])).toBe('mismatch')
    expect(faultKind('ScatterND', [x, int64([1, 1], [0]), int64([1, 2], [8, 9])])).toBe('mismatch')
  })
})

describe('TensorScatter', () => {
  const cache = counting(2, 3, 1)
  const update = float32([2, 2, 1], [10, 11, 12, 13])

  test('writes from an index on', () => {
    expect(results('TensorScatter', [cache, update, list(1, 0)])).toEqual([
      [
        [2, 3, 1],
        [0, 10, 11, 12, 13, 5],
      ],
    ])
    expect(results('TensorScatter', [cache, update])).toEqual([
      [
        [2, 3, 1],
        [10, 11, 2, 12, 13, 5],
      ],
    ])
    expect(results('TensorScatter', [cache, update, list(2, 0)], { mode: 'circular' })).toEqual([
      [
        [2, 3, 1],
        [11, 1, 10, 12, 13, 5],
      ],
    ])
  })

  test('refuses an update that leaves the cache', () => {
    expect(faultKind('TensorScatter', [cache, update, list(2, 0)])).toBe('value')
    expect(faultKind('TensorScatter', [cache, update, list(-1, 0)])).toBe('value')
    expect(faultKind('TensorScatter', [cache, update, list(3, 0)], { mode: 'circular' })).toBe('value')
    expect(faultKind('TensorScatter', [cache, update, list(0)])).toBe('mismatch')
    expect(faultKind('TensorScatter', [cache, counting(2, 4, 1)])).toBe('mismatch')
    expect(faultKind('TensorScatter', [cache, update], { axis: 0 })).toBe('mismatch')
  })
})

describe('OneHot', () => {
  const values = float32([2], [-1, 1])

  test('writes one element per index', () => {
    expect(results('OneHot', [list(1, -1, 3), int64([], [3]), values])).toEqual([
      [
        [3, 3],
        [-1, 1, -1, -1, -1, 1, -1, -1, -1],
      ],
    ])
    expect(results('OneHot', [list(1, 0), list(2), int64([2], [0, 5])], { axis: 0 })).toEqual([
      [
        [2, 2],
        [0, 5, 5, 0],
      ],
    ])
    expect(results('OneHot', [float32([], [1]), float32([1], [2]), values])).toEqual([[[2], [-1, 1]]])
    expect(results('OneHot', [list(0), list(0), values])).toEqual([[[1, 0], []]])
  })

  test('refuses a depth that is not a size', () => {
    expect(faultKind('OneHot', [list(0), list(-1), values])).toBe('value')
    expect(faultKind('OneHot', [list(0), float32([], [Number.NaN]), values])).toBe('value')
    expect(faultKind('OneHot', [list(0), list(1, 1), values])).toBe('mismatch')
    expect(faultKind('OneHot', [list(0), list(1), counting(3)])).toBe('mismatch')
  })
})
