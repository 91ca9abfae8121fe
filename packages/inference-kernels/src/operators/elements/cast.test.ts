// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { describe, expect, test } from 'vitest'
import { float16Values, toFloat16Bits } from './float16.ts'
import { elementsOfResult, list, outcome } from './testing.ts'

const cast = (from: DType, elements: readonly (number | bigint)[], to: DType) =>
  elementsOfResult('Cast', [list(from, elements)], { to })

describe('Cast', () => {
  test('floats are cut toward 0', () => {
    expect(cast('float32', [2.7, -2.7, 300], 'int8')).toEqual([2, -2, 44])
    expect(cast('float32', [2.7, -2.7], 'int64')).toEqual([2n, -2n])
    expect(cast('float32', [Number.NaN, 3e30, -3e30], 'int64')).toEqual([0n, 2n ** 63n - 1024n, -(2n ** 63n)])
    expect(cast('float32', [2 ** 63], 'uint64')).toEqual([2n ** 63n])
  })

  test('integers wrap', () => {
    expect(cast('int64', [2n ** 33n + 5n, -1n], 'int32')).toEqual([5, -1])
    expect(cast('int64', [-1n], 'uint64')).toEqual([2n ** 64n - 1n])
    expect(cast('uint32', [2 ** 32 - 1], 'int32')).toEqual([-1])
    expect(cast('int32', [258, -1], 'uint8')).toEqual([2, 255])
    expect(cast('int8', [-1], 'int64')).toEqual([-1n])
    expect(cast('uint64', [2n ** 32n + 7n], 'uint16')).toEqual([7])
  })

  test('to and from bool', () => {
    expect(cast('float32', [0, -0, 0.1, Number.NaN], 'bool')).toEqual([0, 0, 1, 1])
    expect(cast('int64', [0n, 2n ** 40n], 'bool')).toEqual([0, 1])
    expect(cast('uint8', [0, 7], 'bool')).toEqual([0, 1])
    expect(cast('bool', [0, 1], 'float32')).toEqual([0, 1])
    expect(cast('bool', [0, 1], 'int64')).toEqual([0n, 1n])
    expect(cast('float16', [0x8000, 0x0001], 'bool')).toEqual([0, 1])
  })

  test('to float64 and back', () => {
    expect(cast('float32', [0.1], 'float64')).toEqual([Math.fround(0.1)])
    expect(cast('float64', [0.1], 'float32')).toEqual([Math.fround(0.1)])
    expect(cast('int64', [2n ** 53n], 'float64')).toEqual([2 ** 53])
  })

  test('rounds to the nearest float16, ties to even', () => {
    const halves = [
      1 + 2 ** -11,
      1 + 3 * 2 ** -11,
      65519.9,
      65520,
      2 ** -25,
      3 * 2 ** -26,
      2 ** -24,
      2 ** -14,
    ]
    expect(cast('float64', halves, 'float16')).toEqual([0x3c00, 0x3c02, 0x7bff, 0x7c00, 0, 1, 1, 0x400])
    expect(cast('float32', [-0, Number.NaN, Number.NEGATIVE_INFINITY], 'float16')).toEqual([
      0x8000, 0x7e00, 0xfc00,
    ])
    // Rounded to float32 first, both would come to lie on the tie.
    const tie = 1 + 2 ** -11
    expect(cast('float64', [tie + 2 ** -40, tie - 2 ** -40], 'float16')).toEqual([0x3c01, 0x3c00])
  })

  test('every finite float16 comes back from float32', () => {
    const values = float16Values()
    for (let bits = 0; bits < 65_536; bits++) {
      if (Number.isNaN(values[bits])) continue
      if (toFloat16Bits(values[bits] as number) !== bits) expect.unreachable(`bits ${bits}`)
    }
    expect(Number.isNaN(values[0x7c01])).toBe(true)
  })

  test('CastLike takes the dtype of the other operand', () => {
    const like = list('uint8', [1, 2, 3])
    expect(outcome('CastLike', [list('float32', [2.5]), like])).toEqual({
      dtype: 'uint8',
      shape: [1],
      elements: [2],
    })
  })
})
