// SPDX-License-Identifier: Apache-2.0
// GridSample, AffineGrid, RoiAlign, MaxRoiPool.

import { describe, expect, test } from 'vitest'
import { counting, float32, int64, list, results, unknownDims } from '../movement/testing.ts'
import { faultKind } from '../testing.ts'

describe('GridSample', () => {
  const x = float32([1, 1, 2, 2], [4, 8, 12, 16])
  /** Elements at points given as x and y. */
  const at = (points: readonly number[], attributes = {}) =>
    results('GridSample', [x, float32([1, 1, points.length / 2, 2], points)], attributes)[0]?.[1]

  test('interpolates, and pads with zeros', () => {
    expect(at([0, 0, -0.5, -0.5, 0.5, 0, -1, -1, 2, 2])).toEqual([10, 4, 12, 1, 0])
    expect(at([0, 0, -1, -1, 1, -1, 0, -1], { align_corners: true })).toEqual([10, 4, 8, 6])
  })

  test('pads with the border or with mirrored images', () => {
    const border = { padding_mode: 'border' }
    const reflection = { padding_mode: 'reflection' }
    expect(at([-1, -1, 5, -5], border)).toEqual([4, 8])
    expect(at([-1, -1, -1.5, -0.5, -2.5, -0.5, 3.5, -0.5], reflection)).toEqual([4, 4, 8, 4])
    expect(at([3, -1, 2, -1], { ...reflection, align_corners: true })).toEqual([4, 6])
  })

  test('takes the nearest element, halves to the even one', () => {
    expect(at([0.4, -0.4, 0, 0, 1.1, 0], { mode: 'nearest' })).toEqual([8, 4, 0])
  })

  test('fits cubics', () => {
    const line = float32([1, 1, 1, 4], [0, 0, 8, 0])
    const grid = float32([1, 1, 2, 2], [0, 0, 1 / 3, 0])
    const attributes = { mode: 'cubic', align_corners: true, padding_mode: 'border' }
    expect(results('GridSample', [line, grid], attributes)[0]?.[1]).toEqual([4.75, 8])
  })

  test('reads signals and volumes, each channel', () => {
    const signal = counting(1, 2, 3)
    expect(results('GridSample', [signal, float32([1, 1, 1], [0.5])], { align_corners: true })).toEqual([
      [
        [1, 2, 1],
        [1.5, 4.5],
      ],
    ])
    const volume = counting(1, 1, 2, 2, 2)
    const points = float32([1, 1, 1, 2, 3], [0, 0, 0, 1, -1, -1])
    expect(results('GridSample', [volume, points], { align_corners: true })).toEqual([
      [
        [1, 1, 1, 1, 2],
        [3.5, 1],
      ],
    ])
  })

  test('gives 0 or an element at the border for coordinates that are no numbers', () => {
    const wild = [Number.NaN, 0, Number.POSITIVE_INFINITY, -0.5]
    expect(at(wild)).toEqual([0, 0])
    expect(at(wild, { mode: 'nearest', padding_mode: 'border' })).toEqual([0, 8])
    expect(
      at([1e30, -0.5], { mode: 'nearest', padding_mode: 'reflection' })?.every((it) => it === 4 || it === 8),
    ).toBe(true)
  })

  test('takes what is empty, and refuses what does not fit', () => {
    expect(results('GridSample', [counting(1, 1, 0, 2), float32([1, 1, 1, 2], [0, 0])])).toEqual([
      [[1, 1, 1, 1], [0]],
    ])
    expect(faultKind('GridSample', [x, float32([1, 1, 1, 3], [0, 0, 0])])).toBe('mismatch')
    expect(faultKind('GridSample', [x, float32([2, 1, 1, 2], [0, 0, 0, 0])])).toBe('mismatch')
    expect(faultKind('GridSample', [counting(1, 1), counting(1, 1)])).toBe('mismatch')
  })
})

describe('AffineGrid', () => {
  const identity = float32([1, 2, 3], [1, 0, 0, 0, 1, 0])

  test('lays points at the borders, or in the middles', () => {
    const size = list(1, 1, 2, 2)
    expect(results('AffineGrid', [identity, size], { align_corners: true })).toEqual([
      [
        [1, 2, 2, 2],
        [-1, -1, 1, -1, -1, 1, 1, 1],
      ],
    ])
    expect(results('AffineGrid', [identity, size])).toEqual([
      [
        [1, 2, 2, 2],
        [-0.5, -0.5, 0.5, -0.5, -0.5, 0.5, 0.5, 0.5],
      ],
    ])
  })

  test('maps points of two and three dimensions', () => {
    const theta = float32([1, 2, 3], [0, 2, 1, 3, 0, -1])
    expect(results('AffineGrid', [theta, list(1, 1, 2, 1)], { align_corners: true })).toEqual([
      [
        [1, 2, 1, 2],
        [-1, -1, 3, -1],
      ],
    ])
    const deep = float32([1, 3, 4], [0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0.5])
    expect(results('AffineGrid', [deep, list(1, 1, 2, 1, 1)], { align_corners: true })).toEqual([
      [
        [1, 2, 1, 1, 3],
        [-1, 0, 0.5, 1, 0, 0.5],
      ],
    ])
  })

  test('knows the rank before the sizes', () => {
    expect(unknownDims('AffineGrid', [identity, list(1, 1, 2, 2)], [1])).toEqual([[1, null, null, 2]])
    expect(faultKind('AffineGrid', [identity, list(1, 1, 2)])).toBe('mismatch')
    expect(faultKind('AffineGrid', [identity, list(2, 1, 2, 2)])).toBe('mismatch')
    expect(faultKind('AffineGrid', [identity, list(1, 1, -2, 2)])).toBe('value')
  })
})

describe('RoiAlign', () => {
  const x = counting(1, 1, 4, 4)
  const whole = float32([1, 4], [0, 0, 3, 3])
  const first = int64([1], [0])
  const early = { coordinate_transformation_mode: 'output_half_pixel' }
  const run = (attributes: Parameters<typeof results>[2], roi = whole) =>
    results('RoiAlign', [x, roi, first], attributes)

  test('averages samples between elements', () => {
    expect(run({ ...early, sampling_ratio: 1 })).toEqual([[[1, 1, 1, 1], [7.5]]])
    expect(run({ sampling_ratio: 1 })).toEqual([[[1, 1, 1, 1], [5]]])
    expect(run({ ...early, sampling_ratio: 2 })).toEqual([[[1, 1, 1, 1], [7.5]]])
    expect(run(early)).toEqual([[[1, 1, 1, 1], [7.5]]])
    expect(run({ ...early, sampling_ratio: 1, spatial_scale: 0.5 })).toEqual([[[1, 1, 1, 1], [3.75]]])
    expect(run({ ...early, output_height: 1, output_width: 3 })).toEqual([
      [
        [1, 1, 1, 3],
        [6.5, 7.5, 8.5],
      ],
    ])
  })

  test('places samples in single precision', () => {
    // The second row of samples is at 2, the border: behind it in double precision.
    const attributes = { ...early, sampling_ratio: 2, output_height: 3 }
    const [[, bins] = []] = results(
      'RoiAlign',
      [float32([1, 1, 2, 1], [4, 8]), float32([1, 4], [0, 1, 1, 5]), first],
      attributes,
    )
    expect(bins).toEqual([8, 0, 0])
  })

  test('gives 0 off the image', () => {
    expect(run({ sampling_ratio: 1 }, float32([1, 4], [10, 10, 12, 12]))).toEqual([[[1, 1, 1, 1], [0]]])
  })

  test('takes the largest weighted element', () => {
    // A quarter of 10, the largest around the middle.
    expect(run({ ...early, sampling_ratio: 1, mode: 'max' })).toEqual([[[1, 1, 1, 1], [2.5]]])
  })

  test('counts the samples of a bin in single precision', () => {
    // 30 times the float32 next to 0.1 is 3 there, and more than 3 in double precision.
    const image = float32([1, 1, 4, 4], [5, 0, 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7])
    const pooled = (attributes: Parameters<typeof results>[2]) =>
      results('RoiAlign', [image, float32([1, 4], [0, 0, 30, 30]), first], {
        ...early,
        spatial_scale: Math.fround(0.1),
        ...attributes,
      })
    expect(pooled({})).toEqual(pooled({ sampling_ratio: 3 }))
    expect(pooled({})).not.toEqual(pooled({ sampling_ratio: 4 }))
  })

  test('refuses regions that cannot be', () => {
    const attributes = { output_height: 1 }
    expect(faultKind('RoiAlign', [x, whole, int64([1], [1])], attributes)).toBe('value')
    expect(faultKind('RoiAlign', [x, whole, int64([1], [-1])], attributes)).toBe('value')
    for (const wild of [Number.NaN, Number.POSITIVE_INFINITY, 1e9]) {
      expect(faultKind('RoiAlign', [x, float32([1, 4], [0, 0, wild, 1e9]), first])).toBe('value')
    }
    expect(faultKind('RoiAlign', [x, whole, int64([2], [0, 0])])).toBe('mismatch')
    expect(faultKind('RoiAlign', [x, whole, first], { output_width: 0 })).toBe('mismatch')
    expect(faultKind('RoiAlign', [x, whole, first], { sampling_ratio: 2000 })).toBe('mismatch')
    expect(results('RoiAlign', [x, counting(0, 4), int64([0], [])])).toEqual([[[0, 1, 1, 1], []]])
  })
})

describe('MaxRoiPool', () => {
  const x = counting(1, 1, 4, 4)

  test('finds the largest element of each bin', () => {
    const rois = float32([2, 5], [0, 0, 0, 3, 3, 0, 9, 9, 9, 9])
    expect(results('MaxRoiPool', [x, rois], { pooled_shape: [2, 2] })).toEqual([
      [
        [2, 1, 2, 2],
        [5, 7, 13, 15, 0, 0, 0, 0],
      ],
    ])
    const scaled = { pooled_shape: [1, 1], spatial_scale: 0.5 }
    expect(results('MaxRoiPool', [x, float32([1, 5], [0, 2, 2, 4, 4])], scaled)).toEqual([
      [[1, 1, 1, 1], [10]],
    ])
  })

  test('rounds corners in single precision, halves away from 0', () => {
    // 5 times the float32 next to 0.7 is 3.5 there, and less in double precision.
    const scaled = { pooled_shape: [1, 1], spatial_scale: Math.fround(0.7) }
    expect(results('MaxRoiPool', [counting(1, 1, 1, 5), float32([1, 5], [0, 5, 0, 5, 0])], scaled)).toEqual([
      [[1, 1, 1, 1], [4]],
    ])
    // 29 rows in 7 bins: 7 times a bin's height is more than 29 in double precision.
    const tall = float32([1, 5], [0, 0, 0, 0, 28])
    const [[, last] = []] = results('MaxRoiPool', [counting(1, 1, 31, 1), tall], { pooled_shape: [7, 1] })
    expect(last?.[6]).toBe(28)
    // Rows -1 to 2.
    const above = float32([1, 5], [0, 0, -0.5, 3, 2])
    expect(results('MaxRoiPool', [x, above], { pooled_shape: [2, 1] })).toEqual([
      [
        [1, 1, 2, 1],
        [3, 11],
      ],
    ])
  })

  test('refuses regions that cannot be', () => {
    const attributes = { pooled_shape: [1, 1] }
    expect(faultKind('MaxRoiPool', [x, float32([1, 5], [1, 0, 0, 1, 1])], attributes)).toBe('value')
    expect(faultKind('MaxRoiPool', [x, float32([1, 5], [Number.NaN, 0, 0, 1, 1])], attributes)).toBe('value')
    expect(faultKind('MaxRoiPool', [x, float32([1, 5], [0, 0, 0, Number.NaN, 1])], attributes)).toBe('value')
    expect(faultKind('MaxRoiPool', [x, float32([1, 5], [0, 0, 0, 1, 1])])).toBe('mismatch')
  })
})
