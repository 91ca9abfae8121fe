// SPDX-License-Identifier: Apache-2.0
// NonMaxSuppression, Col2Im and DeformConv.

import { describe, expect, test } from 'vitest'
import { counting, float32, int64, list, results, unknownDims } from '../movement/testing.ts'
import { faultKind } from '../testing.ts'

describe('NonMaxSuppression', () => {
  const boxes = float32([1, 3, 4], [0, 2, 1, 3, 0, 0, 1, 1, 1, 1.1, 0, 0.1])
  const scores = float32([1, 1, 3], [0.7, 0.9, 0.8])
  const number = (value: number) => float32([], [value])
  const kept = (most: number, overlap: number, least: number | null = null, more = {}) =>
    results(
      'NonMaxSuppression',
      [boxes, scores, int64([1], [most]), number(overlap), least === null ? null : number(least)],
      more,
    )

  test('keeps the best of boxes that overlap, whatever corners they are given by', () => {
    expect(kept(3, 0.5)).toEqual([
      [
        [2, 3],
        [0, 0, 1, 0, 0, 0],
      ],
    ])
    expect(kept(3, 0.9)).toEqual([
      [
        [3, 3],
        [0, 0, 1, 0, 0, 2, 0, 0, 0],
      ],
    ])
    expect(kept(1, 0.5)).toEqual([
      [
        [1, 3],
        [0, 0, 1],
      ],
    ])
    expect(kept(0, 0.5)).toEqual([[[0, 3], []]])
    expect(results('NonMaxSuppression', [boxes, scores])).toEqual([[[0, 3], []]])
  })

  test('keeps boxes that overlap by just the threshold, in single precision', () => {
    // 7 of 10: more than the float32 next to 0.7 in double precision.
    const inputs = [float32([1, 2, 4], [0, 0, 1, 10, 0, 0, 1, 7]), float32([1, 1, 2], [0.9, 0.8])]
    expect(results('NonMaxSuppression', [...inputs, int64([1], [2]), number(0.7)])).toEqual([
      [
        [2, 3],
        [0, 0, 0, 0, 0, 1],
      ],
    ])
  })

  test('leaves out scores that do not exceed the least', () => {
    expect(kept(3, 0.5, 0.75)).toEqual([
      [
        [1, 3],
        [0, 0, 1],
      ],
    ])
    expect(kept(3, 0.5, Math.fround(0.9))).toEqual([[[0, 3], []]])
  })

  test('goes through images and classes, the first of equal scores first', () => {
    const two = float32([2, 1, 4], [0, 0, 1, 1, 0, 0, 1, 1])
    const all = float32([2, 2, 1], [1, 2, 3, 4])
    expect(results('NonMaxSuppression', [two, all, int64([], [5])])).toEqual([
      [
        [4, 3],
        [0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 1, 0],
      ],
    ])
    const same = float32([1, 1, 3], [1, 1, 1])
    expect(results('NonMaxSuppression', [boxes, same, int64([1], [2]), number(0.5)])).toEqual([
      [
        [2, 3],
        [0, 0, 0, 0, 0, 1],
      ],
    ])
  })

  test('takes boxes by their centers', () => {
    const centered = float32([1, 2, 4], [0, 0, 2, 2, 0.5, 0, 2, 2])
    const inputs = [centered, float32([1, 1, 2], [1, 2]), int64([1], [2]), number(0.5)]
    expect(results('NonMaxSuppression', inputs, { center_point_box: 1 })).toEqual([
      [
        [1, 3],
        [0, 0, 1],
      ],
    ])
  })

  test('does not know how many before the scores', () => {
    expect(unknownDims('NonMaxSuppression', [boxes, scores], [1])).toEqual([[null, 3]])
    expect(faultKind('NonMaxSuppression', [boxes, float32([1, 1, 2], [1, 1])])).toBe('mismatch')
    expect(faultKind('NonMaxSuppression', [boxes, scores, int64([2], [1, 1])])).toBe('mismatch')
    expect(faultKind('NonMaxSuppression', [boxes, scores], { center_point_box: 2 })).toBe('unsupported')
  })
})

describe('Col2Im', () => {
  const ones = (...dims: readonly number[]) =>
    float32(dims, new Array<number>(dims.reduce((count, dim) => count * dim, 1)).fill(1))

  test('adds up what overlaps', () => {
    expect(results('Col2Im', [ones(1, 4, 4), list(3, 3), list(2, 2)])).toEqual([
      [
        [1, 1, 3, 3],
        [1, 2, 1, 2, 4, 2, 1, 2, 1],
      ],
    ])
    expect(results('Col2Im', [counting(1, 4, 2), list(4), list(2)], { strides: [2] })).toEqual([
      [
        [1, 2, 4],
        [0, 2, 1, 3, 4, 6, 5, 7],
      ],
    ])
    expect(results('Col2Im', [ones(1, 2, 3), list(2), list(2)], { pads: [1, 1] })).toEqual([
      [
        [1, 1, 2],
        [2, 2],
      ],
    ])
  })

  test('knows the rank before the sizes', () => {
    expect(unknownDims('Col2Im', [ones(1, 4, 4), list(3, 3), list(2, 2)], [1])).toEqual([[1, 1, null, null]])
    expect(unknownDims('Col2Im', [ones(1, 4, 4), list(3, 3), list(2, 2)], [2])).toEqual([[1, null, 3, 3]])
    expect(faultKind('Col2Im', [ones(1, 4, 3), list(3, 3), list(2, 2)])).toBe('mismatch')
    expect(faultKind('Col2Im', [ones(1, 3, 4), list(3, 3), list(2, 2)])).toBe('mismatch')
    expect(faultKind('Col2Im', [ones(1, 4, 4), list(3, 0), list(2, 2)])).toBe('value')
  })
})

describe('DeformConv', () => {
  const x = counting(1, 2, 3, 3)
  const weights = counting(2, 1, 2, 2)
  const still = float32([1, 8, 2, 2], new Array(32).fill(0))

  test('is Conv where nothing moves', () => {
    const bias = float32([2], [1, 2])
    expect(results('DeformConv', [x, weights, still, bias], { group: 2 })).toEqual(
      results('Conv', [x, weights, bias], { group: 2 }),
    )
  })

  test('moves each tap down and right, and weighs it', () => {
    const image = counting(1, 1, 2, 2)
    const one = float32([1, 1, 1, 1], [1])
    const offsets = float32([1, 2, 2, 2], [0.5, 0, -0.5, 1, 0, 0.5, 0, 0])
    // (0.5, 0), (0, 1.5), (0.5, 0) and (2, 1): the second is half, the last wholly off the image.
    expect(results('DeformConv', [image, one, offsets])).toEqual([
      [
        [1, 1, 2, 2],
        [1, 0.5, 1, 0],
      ],
    ])
    const mask = float32([1, 1, 2, 2], [2, 0, 1, 1])
    expect(results('DeformConv', [image, one, offsets, null, mask])).toEqual([
      [
        [1, 1, 2, 2],
        [2, 0, 1, 0],
      ],
    ])
  })

  test('has offsets for each group of channels', () => {
    const image = counting(1, 2, 1, 2)
    const both = float32([1, 2, 1, 1], [1, 1])
    const offsets = float32([1, 4, 1, 2], [0, 0, 0, 0, 0, 0, 1, -1])
    expect(results('DeformConv', [image, both, offsets], { offset_group: 2 })).toEqual([
      [
        [1, 1, 1, 2],
        [3, 3],
      ],
    ])
  })

  test('refuses what does not fit together', () => {
    expect(faultKind('DeformConv', [x, weights, counting(1, 4, 2, 2)], { group: 2 })).toBe('mismatch')
    expect(faultKind('DeformConv', [x, weights, still], { group: 2, offset_group: 3 })).toBe('mismatch')
    expect(faultKind('DeformConv', [x, weights, still, null, still], { group: 2 })).toBe('mismatch')
    expect(faultKind('DeformConv', [counting(1, 1, 2), counting(1, 1, 1), still])).toBe('unsupported')
  })
})
