// SPDX-License-Identifier: Apache-2.0
// MaxPool, AveragePool, LpPool, the global pools and MaxUnpool.

import { describe, expect, test } from 'vitest'
import { counting, float32, int64, list, results, tensor, unknownDims } from '../movement/testing.ts'
import { faultKind } from '../testing.ts'

const line = (...values: readonly number[]) => float32([1, 1, values.length], values)
const square = counting(1, 1, 3, 3)
const two = { kernel_shape: [2, 2] }

describe('MaxPool', () => {
  test('finds the largest elements and where they lie', () => {
    expect(results('MaxPool', [square], two)).toEqual([
      [
        [1, 1, 2, 2],
        [4, 5, 7, 8],
      ],
    ])
    const both = results('MaxPool', [counting(1, 2, 2, 2)], two, 2)
    expect(both).toEqual([
      [
        [1, 2, 1, 1],
        [3, 7],
      ],
      [
        [1, 2, 1, 1],
        [3, 7],
      ],
    ])
    const [, byColumns] = results('MaxPool', [square], { ...two, storage_order: 1 }, 2)
    expect(byColumns).toEqual([
      [1, 1, 2, 2],
      [4, 7, 5, 8],
    ])
  })

  test('goes over one and three dimensions, with dilation', () => {
    expect(results('MaxPool', [line(0, 1, 2, 3)], { kernel_shape: [2], dilations: [2] })).toEqual([
      [
        [1, 1, 2],
        [2, 3],
      ],
    ])
    const cube = counting(1, 1, 2, 2, 2)
    expect(results('MaxPool', [cube], { kernel_shape: [2, 1, 2] }, 2)).toEqual([
      [
        [1, 1, 1, 2, 1],
        [5, 7],
      ],
      [
        [1, 1, 1, 2, 1],
        [5, 7],
      ],
    ])
    const slice = { kernel_shape: [1, 2, 2], storage_order: 1 }
    expect(results('MaxPool', [cube], slice, 2)[1]).toEqual([
      [1, 1, 2, 1, 1],
      [6, 7],
    ])
  })

  test('lets a last window hang over, unless it begins behind the padding', () => {
    const strides = [2, 2]
    expect(results('MaxPool', [square], { ...two, strides })).toEqual([[[1, 1, 1, 1], [4]]])
    expect(results('MaxPool', [square], { ...two, strides, ceil_mode: true })).toEqual([
      [
        [1, 1, 2, 2],
        [4, 5, 7, 8],
      ],
    ])
    const far = { kernel_shape: [3], strides: [3], pads: [1, 1], ceil_mode: true }
    expect(results('MaxPool', [line(1, 2)], far)).toEqual([[[1, 1, 1], [2]]])
  })

  test('keeps NaN, and the first of equal elements', () => {
    const pair = { kernel_shape: [2] }
    expect(results('MaxPool', [line(Number.NaN, 1, 2, Number.NaN)], pair)).toEqual([
      [
        [1, 1, 3],
        [Number.NaN, 2, Number.NaN],
      ],
    ])
    expect(results('MaxPool', [line(7, 7)], pair, 2)[1]).toEqual([[1, 1, 1], [0]])
  })

  test('pools bytes, and windows that see padding only', () => {
    const padded = { kernel_shape: [1], pads: [1, 0] }
    expect(results('MaxPool', [tensor('uint8', [1, 1, 2], [200, 100])], padded)).toEqual([
      [
        [1, 1, 3],
        [0, 200, 100],
      ],
    ])
    expect(results('MaxPool', [tensor('int8', [1, 1, 1], [-128])], padded, 2)).toEqual([
      [
        [1, 1, 2],
        [-128, -128],
      ],
      [
        [1, 1, 2],
        [-1, 0],
      ],
    ])
    expect(results('MaxPool', [line(3)], padded)).toEqual([
      [
        [1, 1, 2],
        [Number.NEGATIVE_INFINITY, 3],
      ],
    ])
  })

  test('takes images that are empty, and refuses what does not fit', () => {
    expect(results('MaxPool', [counting(0, 1, 3, 3)], two, 2)).toEqual([
      [[0, 1, 2, 2], []],
      [[0, 1, 2, 2], []],
    ])
    expect(faultKind('MaxPool', [square])).toBe('mismatch')
    expect(faultKind('MaxPool', [square], { kernel_shape: [4, 4] })).toBe('mismatch')
    expect(faultKind('MaxPool', [square], { kernel_shape: [0, 1] })).toBe('mismatch')
    expect(faultKind('MaxPool', [square], { ...two, storage_order: 2 })).toBe('unsupported')
    expect(faultKind('MaxPool', [tensor('int32', [1, 1, 1], [1])], { kernel_shape: [1] })).toBe('unsupported')
  })
})

describe('AveragePool', () => {
  const x = line(1, 2, 3, 4)

  test('divides by the elements of the image, or by those of the padding too', () => {
    const attributes = { kernel_shape: [2], pads: [1, 1] }
    expect(results('AveragePool', [x], attributes)).toEqual([
      [
        [1, 1, 5],
        [1, 1.5, 2.5, 3.5, 4],
      ],
    ])
    expect(results('AveragePool', [x], { ...attributes, count_include_pad: true })).toEqual([
      [
        [1, 1, 5],
        [0.5, 1.5, 2.5, 3.5, 2],
      ],
    ])
  })

  test('never counts what hangs over', () => {
    const attributes = { kernel_shape: [3], strides: [2], pads: [1, 1], ceil_mode: true }
    expect(results('AveragePool', [x], attributes)).toEqual([
      [
        [1, 1, 3],
        [1.5, 3, 4],
      ],
    ])
    expect(results('AveragePool', [x], { ...attributes, count_include_pad: true })).toEqual([
      [
        [1, 1, 3],
        [1, 3, 2],
      ],
    ])
  })

  test('goes over three dimensions, with dilation', () => {
    expect(results('AveragePool', [x], { kernel_shape: [2], dilations: [2] })).toEqual([
      [
        [1, 1, 2],
        [2, 3],
      ],
    ])
    expect(results('AveragePool', [counting(1, 2, 2, 2, 2)], { kernel_shape: [2, 2, 2] })).toEqual([
      [
        [1, 2, 1, 1, 1],
        [3.5, 11.5],
      ],
    ])
  })

  test('gives 0 for windows that see padding only', () => {
    expect(results('AveragePool', [line(3)], { kernel_shape: [1], pads: [1, 0] })).toEqual([
      [
        [1, 1, 2],
        [0, 3],
      ],
    ])
  })
})

test('LpPool gives the p-norm of each window', () => {
  const x = line(-3, 4, 0)
  expect(results('LpPool', [x], { kernel_shape: [2] })).toEqual([
    [
      [1, 1, 2],
      [5, 4],
    ],
  ])
  expect(results('LpPool', [x], { kernel_shape: [2], p: 1, pads: [1, 0] })).toEqual([
    [
      [1, 1, 3],
      [3, 7, 4],
    ],
  ])
  // The sum of squares is beyond float32.
  expect(results('LpPool', [line(2 ** 100)], { kernel_shape: [1] })).toEqual([[[1, 1, 1], [2 ** 100]]])
  expect(faultKind('LpPool', [x], { kernel_shape: [2], p: 0 })).toBe('mismatch')
})

test('the global pools make one element of each channel', () => {
  const x = float32([1, 2, 2], [3, 4, -4, 3])
  expect(results('GlobalAveragePool', [x])).toEqual([
    [
      [1, 2, 1],
      [3.5, -0.5],
    ],
  ])
  expect(results('GlobalMaxPool', [x])).toEqual([
    [
      [1, 2, 1],
      [4, 3],
    ],
  ])
  expect(results('GlobalLpPool', [x])).toEqual([
    [
      [1, 2, 1],
      [5, 5],
    ],
  ])
  expect(results('GlobalLpPool', [x], { p: 1 })).toEqual([
    [
      [1, 2, 1],
      [7, 7],
    ],
  ])
  expect(results('GlobalMaxPool', [line(1, Number.NaN)])).toEqual([[[1, 1, 1], [Number.NaN]]])
  expect(results('GlobalAveragePool', [counting(1, 1, 2, 1, 2)])).toEqual([[[1, 1, 1, 1, 1], [1.5]]])
  expect(results('GlobalAveragePool', [counting(1, 1, 0)])).toEqual([[[1, 1, 1], [Number.NaN]]])
  expect(results('GlobalMaxPool', [counting(1, 1, 0)])).toEqual([[[1, 1, 1], [Number.NEGATIVE_INFINITY]]])
  expect(faultKind('GlobalMaxPool', [float32([1], [1])])).toBe('mismatch')
})

describe('MaxUnpool', () => {
  const x = float32([1, 1, 2], [5, 6])
  const attributes = { kernel_shape: [2], strides: [2] }

  test('puts maxima back', () => {
    expect(results('MaxUnpool', [x, int64([1, 1, 2], [1, 2])], attributes)).toEqual([
      [
        [1, 1, 4],
        [0, 5, 6, 0],
      ],
    ])
    expect(results('MaxUnpool', [x, int64([1, 1, 2], [0, 4]), list(1, 1, 5)], attributes)).toEqual([
      [
        [1, 1, 5],
        [5, 0, 0, 0, 6],
      ],
    ])
    const unknown = unknownDims('MaxUnpool', [x, int64([1, 1, 2], [0, 4]), list(1, 1, 5)], [2], attributes)
    expect(unknown).toEqual([[null, null, null]])
  })

  test('refuses places that are not in the result', () => {
    expect(faultKind('MaxUnpool', [x, int64([1, 1, 2], [0, 4])], attributes)).toBe('value')
    expect(faultKind('MaxUnpool', [x, int64([1, 1, 2], [-1, 0])], attributes)).toBe('value')
    expect(faultKind('MaxUnpool', [x, int64([2], [0, 1])], attributes)).toBe('mismatch')
  })
})
