// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from 'vitest'
import { counting, float32, list, results, tensor, unknownDims } from '../movement/testing.ts'
import { faultKind } from '../testing.ts'

const scales = (...values: readonly number[]) => float32([values.length], values)
const tens = float32([4], [0, 10, 20, 30])
const pair = float32([2], [0, 10])
/** Elements of a result, rounded to four places. */
const elements = (...call: Parameters<typeof results>) =>
  results(...call)[0]?.[1].map((it) => Math.round(it * 1e4) / 1e4)

describe('Resize to the nearest elements', () => {
  test('rounds as it is told', () => {
    const run = (nearest_mode: string) => elements('Resize', [tens, null, null, list(2)], { nearest_mode })
    expect(run('round_prefer_floor')).toEqual([0, 20])
    expect(run('round_prefer_ceil')).toEqual([10, 30])
    expect(run('floor')).toEqual([0, 20])
    expect(run('ceil')).toEqual([10, 30])
  })

  test('computes coordinates in single precision', () => {
    const attributes = { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }
    // 1 / 0.33333334 is less than 3 in double precision.
    expect(elements('Resize', [counting(6), null, scales(1 / 3)], attributes)).toEqual([0, 3])
    // 10 * 0.7 is 7 in single precision.
    expect(results('Resize', [counting(10), null, scales(0.7)])[0]?.[0]).toEqual([7])
  })

  test('takes the next element where an early model shrinks', () => {
    const early = { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'simple' }
    expect(elements('Resize', [tens, null, scales(0.6)], early)).toEqual([0, 20])
    expect(elements('Resize', [pair, null, scales(1.5)], early)).toEqual([0, 0, 10])
  })

  test('copies any dtype, and rows that stay whole', () => {
    expect(elements('Resize', [tensor('int64', [2], [3, -4]), null, scales(2)])).toEqual([3, 3, -4, -4])
    expect(results('Resize', [counting(2, 2), null, scales(2, 1)])).toEqual([
      [
        [4, 2],
        [0, 1, 0, 1, 2, 3, 2, 3],
      ],
    ])
    expect(results('Resize', [counting(1, 2, 2), null, scales(1, 1, 2)])).toEqual([
      [
        [1, 2, 4],
        [0, 0, 1, 1, 2, 2, 3, 3],
      ],
    ])
    expect(results('Resize', [counting(2, 2), null, scales(1, 1)])).toEqual([
      [
        [2, 2],
        [0, 1, 2, 3],
      ],
    ])
  })
})

describe('Resize between elements', () => {
  const linear = (mode: string, inputs: Parameters<typeof results>[1], more = {}) =>
    elements('Resize', inputs, { mode: 'linear', coordinate_transformation_mode: mode, ...more })

  test('knows all coordinates', () => {
    const twice = [pair, null, scales(2)]
    expect(linear('half_pixel', twice)).toEqual([0, 2.5, 7.5, 10])
    expect(linear('half_pixel_symmetric', twice)).toEqual([0, 2.5, 7.5, 10])
    expect(linear('asymmetric', twice)).toEqual([0, 5, 10, 10])
    expect(linear('align_corners', twice)).toEqual([0, 3.3333, 6.6667, 10])
    expect(linear('tf_half_pixel_for_nn', twice)).toEqual([2.5, 7.5, 10, 10])
    const one = [pair, null, null, list(1)]
    expect(linear('half_pixel', one)).toEqual([5])
    expect(linear('pytorch_half_pixel', one)).toEqual([0])
    expect(linear('align_corners', one)).toEqual([0])
    // 1.6 elements: the image is centered in them.
    expect(linear('half_pixel_symmetric', [pair, null, scales(0.8)])).toEqual([5])
  })

  test('crops a region, and fills what is outside', () => {
    const region = [tens, float32([2], [0.5, 1.5]), null, list(2)]
    expect(linear('tf_crop_and_resize', region, { extrapolation_value: 99 })).toEqual([15, 99])
    expect(linear('tf_crop_and_resize', [tens, float32([2], [0, 1]), null, list(1)])).toEqual([15])
    expect(
      faultKind('Resize', region.with(1, null), { coordinate_transformation_mode: 'tf_crop_and_resize' }),
    ).toBe('mismatch')
  })

  test('fills integers with what they hold, and refuses what they do not', () => {
    const crop = { coordinate_transformation_mode: 'tf_crop_and_resize' }
    const call = (dtype: 'uint8' | 'int64' | 'bool', extrapolation_value: number) =>
      [
        'Resize',
        [tensor(dtype, [2], [1, 0]), float32([2], [0, 2]), null, list(3)],
        { ...crop, extrapolation_value },
      ] as const
    expect(elements(...call('uint8', 255.5))).toEqual([1, 0, 255])
    expect(elements(...call('int64', -3.5))).toEqual([1, 0, -3])
    expect(faultKind(...call('int64', Number.POSITIVE_INFINITY))).toBe('unsupported')
    expect(faultKind(...call('uint8', -1))).toBe('unsupported')
    expect(faultKind(...call('bool', 2))).toBe('unsupported')
  })

  test('weighs all elements in between where it is antialiased', () => {
    const half = [tens, null, null, list(2)]
    expect(linear('half_pixel', half, { antialias: true })).toEqual([6.25, 23.75])
    expect(linear('half_pixel', half, { antialias: true, exclude_outside: true })).toEqual([7.1429, 22.8571])
    expect(linear('half_pixel', [pair, null, scales(2)], { antialias: true })).toEqual([0, 2.5, 7.5, 10])
  })

  test('fits cubics', () => {
    const cubic = { mode: 'cubic', coordinate_transformation_mode: 'asymmetric' }
    // Halfway between elements the weights are a/8, 1/2 - a/8, 1/2 - a/8 and a/8.
    const x = float32([4], [0, 0, 8, 0])
    expect(elements('Resize', [x, null, scales(2)], cubic)).toEqual([0, -0.75, 0, 4.75, 8, 4.75, 0, -0.75])
    expect(elements('Resize', [x, null, scales(2)], { ...cubic, cubic_coeff_a: -0.5 })?.[3]).toBe(4.5)
    const bounded = { ...cubic, exclude_outside: true }
    // 4.75 - 0.75 · 0, of weights that sum up to 1 + 0.09375.
    expect(elements('Resize', [x, null, scales(2)], bounded)?.[1]).toBe(-0.6857)
  })

  test('goes over several dimensions, and cuts integers off', () => {
    expect(
      results('Resize', [float32([2, 2], [0, 4, 8, 12]), null, scales(2, 2)], {
        mode: 'linear',
        coordinate_transformation_mode: 'align_corners',
      })[0]?.[1].filter((_, i) => [0, 3, 12, 15].includes(i)),
    ).toEqual([0, 4, 8, 12])
    expect(elements('Resize', [tensor('uint8', [2], [0, 10]), null, scales(2)], { mode: 'linear' })).toEqual([
      0, 2, 7, 10,
    ])
  })
})

describe('sizes of a Resize', () => {
  const x = counting(1, 2, 4)

  test('name some axes, and may keep the aspect ratio', () => {
    const dims = (keep_aspect_ratio_policy: string) =>
      results('Resize', [x, null, null, list(8, 3)], { axes: [2, 1], keep_aspect_ratio_policy })[0]?.[0]
    expect(dims('stretch')).toEqual([1, 3, 8])
    expect(dims('not_larger')).toEqual([1, 3, 6])
    expect(dims('not_smaller')).toEqual([1, 4, 8])
  })

  test('may not be known yet', () => {
    expect(unknownDims('Resize', [x, null, scales(1, 2, 2)], [2])).toEqual([[null, null, null]])
    expect(unknownDims('Resize', [x, null, null, list(2)], [3], { axes: [-1] })).toEqual([[1, 2, null]])
  })

  test('may be 0, but nothing comes of nothing', () => {
    expect(results('Resize', [x, null, null, list(1, 0, 4)])).toEqual([[[1, 0, 4], []]])
    expect(results('Resize', [counting(0, 2), null, scales(2, 2)])).toEqual([[[0, 4], []]])
    expect(faultKind('Resize', [counting(0, 2), null, null, list(1, 2)])).toBe('mismatch')
    expect(results('Resize', [counting(), null, scales()])).toEqual([[[], [0]]])
  })

  test('are refused where they do not fit', () => {
    expect(faultKind('Resize', [x])).toBe('mismatch')
    expect(faultKind('Resize', [x, null, scales(1, 1, 1), list(1, 2, 4)])).toBe('mismatch')
    expect(faultKind('Resize', [x, null, scales(1, 1)])).toBe('mismatch')
    expect(faultKind('Resize', [x, null, scales(1, 1)], { axes: [0, 0] })).toBe('mismatch')
    expect(faultKind('Resize', [x, null, scales(1, 1, -1)])).toBe('value')
    expect(faultKind('Resize', [x, null, scales(1, 1, Number.NaN)])).toBe('value')
    expect(faultKind('Resize', [x, null, scales(1, 1, Number.POSITIVE_INFINITY)])).toBe('value')
    expect(faultKind('Resize', [x, null, scales(1, 1, 3e38)])).toBe('value')
    expect(faultKind('Resize', [x, null, null, list(1, -2, 4)])).toBe('value')
    expect(faultKind('Resize', [tensor('int64', [1], [1]), null, scales(1)], { mode: 'linear' })).toBe(
      'unsupported',
    )
    expect(faultKind('Resize', [tensor('uint8', [1], [1]), null, scales(1)], { mode: 'cubic' })).toBe(
      'unsupported',
    )
  })
})
