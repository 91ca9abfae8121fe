// SPDX-License-Identifier: Apache-2.0
import type { Tensor } from '@mlcapsule/contracts'
import { describe, expect, test } from 'vitest'
import { faultKind, runOperator } from '../testing.ts'
import { floats, ramp, rounded } from './testing.ts'

const int32 = (shape: readonly number[], values: readonly number[]): Tensor => ({
  dtype: 'int32',
  shape,
  data: Int32Array.from(values),
})

describe('MatMul', () => {
  test('multiplies matrices, and vectors as rows and columns', () => {
    const a = floats([2, 3], [1, 2, 3, 4, 5, 6])
    const b = floats([3, 2], [1, 0, 2, 1, 0, -1])
    expect(runOperator('MatMul', [a, b])).toEqual([floats([2, 2], [5, -1, 14, -1])])
    const v = floats([3], [1, 1, 2])
    expect(runOperator('MatMul', [a, v])).toEqual([floats([2], [9, 21])])
    expect(runOperator('MatMul', [v, b])).toEqual([floats([2], [3, -1])])
    expect(runOperator('MatMul', [v, v])).toEqual([floats([], [6])])
  })

  test('broadcasts leading dimensions', () => {
    const a = floats([2, 1, 1, 2], [1, 2, 3, 4])
    const b = floats([3, 2, 1], [1, 1, 2, 0, 0, 5])
    expect(runOperator('MatMul', [a, b])).toEqual([floats([2, 3, 1, 1], [3, 2, 10, 7, 6, 20])])
  })

  test('of empty operands is empty or zero', () => {
    expect(runOperator('MatMul', [ramp([2, 0]), ramp([0, 3])])).toEqual([floats([2, 3], [0, 0, 0, 0, 0, 0])])
    expect(runOperator('MatMul', [ramp([0, 2]), ramp([2, 3])])).toEqual([floats([0, 3], [])])
  })

  test('wraps integers', () => {
    const big = int32([1, 2], [2 ** 30, 3])
    expect(runOperator('MatMul', [big, int32([2, 1], [4, -5])])).toEqual([int32([1, 1], [-15])])
    const wide: Tensor = { dtype: 'int64', shape: [1, 1], data: BigInt64Array.of(2n ** 62n + 1n) }
    const three: Tensor = { dtype: 'int64', shape: [1, 1], data: BigInt64Array.of(3n) }
    expect(runOperator('MatMul', [wide, three])[0]?.data).toEqual(BigInt64Array.of(3n - 2n ** 62n))
    const unsigned: Tensor = { dtype: 'uint32', shape: [1], data: Uint32Array.of(2 ** 32 - 1) }
    expect(runOperator('MatMul', [unsigned, unsigned])[0]?.data).toEqual(Uint32Array.of(1))
  })

  test('refuses what does not fit', () => {
    expect(faultKind('MatMul', [ramp([2, 3]), ramp([2, 3])])).toBe('mismatch')
    expect(faultKind('MatMul', [ramp([]), ramp([2, 3])])).toBe('mismatch')
    expect(faultKind('MatMul', [ramp([2, 2, 2]), ramp([3, 2, 2])])).toBe('mismatch')
    expect(faultKind('MatMul', [ramp([2, 2]), int32([2, 2], [1, 2, 3, 4])])).toBe('mismatch')
    const bool: Tensor = { dtype: 'bool', shape: [1], data: Uint8Array.of(1) }
    expect(faultKind('MatMul', [bool, bool])).toBe('unsupported')
  })
})

describe('Gemm', () => {
  const a = floats([2, 3], [1, 2, 3, 4, 5, 6])
  const b = floats([3, 2], [1, 0, 2, 1, 0, -1])
  const transposed = { a: floats([3, 2], [1, 4, 2, 5, 3, 6]), b: floats([2, 3], [1, 2, 0, 0, 1, -1]) }

  test('takes both operands transposed or not', () => {
    const expected = [floats([2, 2], [5, -1, 14, -1])]
    expect(runOperator('Gemm', [a, b])).toEqual(expected)
    expect(runOperator('Gemm', [transposed.a, b], { transA: true })).toEqual(expected)
    expect(runOperator('Gemm', [a, transposed.b], { transB: true })).toEqual(expected)
    expect(runOperator('Gemm', [transposed.a, transposed.b], { transA: true, transB: true })).toEqual(
      expected,
    )
  })

  test.each([
    [
      [2, 2],
      [2, 4, 6, 8],
      [3.5, 1.5, 10, 3.5],
    ],
    [[2], [2, 4], [3.5, 1.5, 8, 1.5]],
    [
      [2, 1],
      [2, 4],
      [3.5, 0.5, 9, 1.5],
    ],
    [[1, 1], [2], [3.5, 0.5, 8, 0.5]],
    [[], [2], [3.5, 0.5, 8, 0.5]],
  ])('adds C of %j', (shape, values, expected) => {
    const c = floats(shape, values)
    expect(runOperator('Gemm', [a, b, c], { alpha: 0.5, beta: 0.5 })).toEqual([floats([2, 2], expected)])
  })

  test('of integers takes whole factors', () => {
    const x = int32([2, 1], [1, 2])
    const c = int32([2], [10, 20])
    const y = runOperator('Gemm', [x, x, c], { transB: true, alpha: 3, beta: -1 })
    expect(y).toEqual([int32([2, 2], [-7, -14, -4, -8])])
    expect(runOperator('Gemm', [x, x], { transA: true })).toEqual([int32([1, 1], [5])])
    expect(faultKind('Gemm', [x, x], { transB: true, alpha: 0.5 })).toBe('mismatch')
  })

  test('refuses what does not fit', () => {
    expect(faultKind('Gemm', [a, a])).toBe('mismatch')
    expect(faultKind('Gemm', [a, b, ramp([3])])).toBe('mismatch')
    expect(faultKind('Gemm', [a, b, ramp([1, 2, 2])])).toBe('mismatch')
    expect(faultKind('Gemm', [ramp([2]), b])).toBe('mismatch')
  })

  test('without inner elements is C', () => {
    expect(rounded(runOperator('Gemm', [ramp([2, 0]), ramp([0, 1]), floats([1], [4])])[0])).toEqual([4, 4])
  })
})
