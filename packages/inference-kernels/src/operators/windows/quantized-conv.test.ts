// SPDX-License-Identifier: Apache-2.0
// ConvInteger and QLinearConv.

import { describe, expect, test } from 'vitest'
import { float32, results, tensor } from '../movement/testing.ts'
import { faultKind } from '../testing.ts'

const bytes = (shape: readonly number[], values: readonly number[]) => tensor('uint8', shape, values)
const signed = (shape: readonly number[], values: readonly number[]) => tensor('int8', shape, values)

describe('ConvInteger', () => {
  const x = bytes([1, 1, 3, 3], [2, 3, 4, 5, 6, 7, 8, 9, 10])
  const ones = bytes([1, 1, 2, 2], [1, 1, 1, 1])
  const one = bytes([1], [1])

  test('takes the zero point of x away, also from padding', () => {
    expect(results('ConvInteger', [x, ones, one])).toEqual([
      [
        [1, 1, 2, 2],
        [12, 16, 24, 28],
      ],
    ])
    expect(results('ConvInteger', [x, ones, one], { pads: [1, 1, 0, 0] })).toEqual([
      [
        [1, 1, 3, 3],
        [1, 3, 5, 5, 12, 16, 11, 24, 28],
      ],
    ])
  })

  test('takes one zero point per filter away', () => {
    const filters = signed([2, 1, 1, 1], [1, -128])
    const [[dims, elements] = []] = results('ConvInteger', [x, filters, null, signed([2], [0, 127])])
    expect(dims).toEqual([1, 2, 3, 3])
    expect(elements?.slice(8, 10)).toEqual([10, -510])
  })

  test('refuses parameters that do not fit', () => {
    expect(faultKind('ConvInteger', [x, ones, bytes([2], [1, 1])])).toBe('mismatch')
    expect(faultKind('ConvInteger', [x, ones, signed([1], [1])])).toBe('mismatch')
    expect(faultKind('ConvInteger', [x, ones, one, bytes([3], [1, 1, 1])])).toBe('mismatch')
    expect(faultKind('ConvInteger', [float32([1, 1, 1], [1]), ones])).toBe('unsupported')
  })
})

describe('QLinearConv', () => {
  const scalar = (value: number) => float32([], [value])
  const inputs = [
    bytes([1, 1, 2], [10, 20]),
    scalar(0.5),
    bytes([], [10]),
    signed([2, 1, 1], [2, -4]),
    float32([2], [0.5, 0.25]),
    signed([2], [0, 0]),
    scalar(1),
    bytes([], [100]),
    tensor('int32', [2], [2, 4]),
  ]

  test('scales each filter, adds the bias and rounds halves to even', () => {
    // In numbers: 0 and 5, times 1 and -1, plus 0.5.
    expect(results('QLinearConv', inputs)).toEqual([
      [
        [1, 2, 2],
        [100, 106, 100, 96],
      ],
    ])
  })

  test('holds results within their dtype', () => {
    expect(results('QLinearConv', inputs.with(7, signed([], [-127])))).toEqual([
      [
        [1, 2, 2],
        [-127, -121, -127, -128],
      ],
    ])
    expect(results('QLinearConv', inputs.with(6, scalar(0.01)))).toEqual([
      [
        [1, 2, 2],
        [150, 255, 150, 0],
      ],
    ])
  })

  test('refuses parameters that do not fit', () => {
    expect(faultKind('QLinearConv', inputs.with(4, float32([3], [1, 1, 1])))).toBe('mismatch')
    expect(faultKind('QLinearConv', inputs.with(1, float32([2], [1, 1])))).toBe('mismatch')
    expect(faultKind('QLinearConv', inputs.with(2, signed([], [0])))).toBe('mismatch')
    expect(faultKind('QLinearConv', inputs.with(8, float32([2], [1, 1])))).toBe('mismatch')
    expect(faultKind('QLinearConv', inputs.slice(0, 7))).toBe('mismatch')
  })
})
