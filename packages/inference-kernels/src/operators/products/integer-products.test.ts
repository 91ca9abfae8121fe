// SPDX-License-Identifier: Apache-2.0
import type { Tensor } from '@mlcapsule/contracts'
import { describe, expect, test } from 'vitest'
import { faultKind, runOperator } from '../testing.ts'
import { floats } from './testing.ts'

const uint8 = (shape: readonly number[], values: readonly number[]): Tensor => ({
  dtype: 'uint8',
  shape,
  data: Uint8Array.from(values),
})
const int8 = (shape: readonly number[], values: readonly number[]): Tensor => ({
  dtype: 'int8',
  shape,
  data: Int8Array.from(values),
})

const a = uint8([2, 2], [1, 2, 255, 0])
const b = int8([2, 2], [-128, 1, 2, 3])

describe('MatMulInteger', () => {
  test('without zero points', () => {
    const [y] = runOperator('MatMulInteger', [a, b])
    expect(y).toEqual({ dtype: 'int32', shape: [2, 2], data: Int32Array.of(-124, 7, -32640, 255) })
  })

  test('with one zero point, and with one per row and column', () => {
    const [one] = runOperator('MatMulInteger', [a, b, uint8([], [1]), int8([], [1])])
    expect(one?.data).toEqual(Int32Array.of(1, 2, 254 * -129 - 1, -2))
    const [each] = runOperator('MatMulInteger', [a, b, uint8([2], [1, 0]), int8([2], [2, 1])])
    expect(each?.data).toEqual(Int32Array.of(0, 2, 255 * -130, 0))
    expect(runOperator('MatMulInteger', [a, b, uint8([2, 1], [1, 0]), int8([1, 2], [2, 1])])[0]).toEqual(each)
    expect(runOperator('MatMulInteger', [a, b, null, int8([1], [1])])[0]?.data).toEqual(
      Int32Array.of(-127, 4, -32895, 0),
    )
  })

  test('refuses other dtypes, and zero points that do not fit', () => {
    expect(faultKind('MatMulInteger', [a, int8([2], [1, 2]), null, int8([2], [1, 2])])).toBe('mismatch')
    expect(faultKind('MatMulInteger', [a, floats([2, 2], [1, 2, 3, 4])])).toBe('unsupported')
    expect(faultKind('MatMulInteger', [a, b, int8([], [1])])).toBe('mismatch')
    expect(faultKind('MatMulInteger', [a, b, uint8([3], [1, 2, 3])])).toBe('mismatch')
    expect(faultKind('MatMulInteger', [a, uint8([1, 2], [1, 2])])).toBe('mismatch')
  })
})

describe('QLinearMatMul', () => {
  const call = (scale: Tensor, zero: Tensor, aScale = floats([], [0.5]), bScale = floats([], [1])) =>
    runOperator('QLinearMatMul', [a, aScale, uint8([], [0]), b, bScale, int8([], [0]), scale, zero])[0]

  test('rounds half to even, and saturates', () => {
    expect(call(floats([], [1]), int8([], [0]))).toEqual(int8([2, 2], [-62, 4, -128, 127]))
    expect(call(floats([], [1]), uint8([], [70]))).toEqual(uint8([2, 2], [8, 74, 0, 198]))
    expect(call(floats([], [7]), int8([], [1]))?.data).toEqual(Int8Array.of(-8, 1, -128, 19))
  })

  test('takes parameters per row of A and of the result, and per column of B', () => {
    const aScale = floats([2], [1, 0.01])
    const bScale = floats([2], [0.5, 2])
    expect(call(floats([2], [1, 2]), int8([2], [0, 5]), aScale, bScale)?.data).toEqual(
      Int8Array.of(-62, 14, -77, 8),
    )
  })

  test('has rows of the result where B is a vector, but no columns of B', () => {
    const x = uint8([2, 3, 1], [10, 20, 30, 40, 50, 60])
    const call = (bScale: Tensor, scale: Tensor, vector = uint8([1], [1])) => [
      ...[x, floats([], [1]), uint8([], [0])],
      ...[vector, bScale, uint8([], [0]), scale, uint8([], [0])],
    ]
    const perRow = call(floats([], [1]), floats([3], [1, 2, 5]))
    expect(runOperator('QLinearMatMul', perRow)).toEqual([uint8([2, 3], [10, 10, 6, 40, 25, 12])])
    expect(faultKind('QLinearMatMul', call(floats([], [1]), floats([2], [1, 2])))).toBe('mismatch')
    const wide = call(floats([2], [1, 3]), floats([], [1]), uint8([2], [1, 1])).with(0, uint8([1, 2], [1, 1]))
    expect(faultKind('QLinearMatMul', wide)).toBe('mismatch')
  })

  test('refuses what does not fit', () => {
    const parameters = [floats([], [1]), uint8([], [0]), b, floats([], [1]), int8([], [0])]
    expect(faultKind('QLinearMatMul', [a, ...parameters, floats([3], [1, 1, 1]), int8([], [0])])).toBe(
      'mismatch',
    )
    expect(faultKind('QLinearMatMul', [a, ...parameters, int8([], [1]), int8([], [0])])).toBe('mismatch')
    expect(faultKind('QLinearMatMul', [a, ...parameters, floats([], [1]), null])).toBe('mismatch')
  })
})
