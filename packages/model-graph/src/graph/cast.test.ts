// SPDX-License-Identifier: Apache-2.0
import type { DType, TensorData } from '@mlcapsule/contracts'
import { describe, expect, test } from 'vitest'
import { castConstant } from './cast.ts'
import { inlineConstant } from './constant.ts'

const cast = async (from: DType, data: TensorData, to: DType) => [
  ...(await castConstant(inlineConstant(from, [data.length], data), to).read(0, data.length)),
]

describe('castConstant', () => {
  test('float16 bits become numbers and come back', async () => {
    const bits = [0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x0400, 0x7c00, 0xfc00]
    const numbers = [0, -0, 1, -2, 65504, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, Infinity, -Infinity]
    expect(await cast('float16', Uint16Array.from(bits), 'float32')).toEqual(numbers)
    expect(await cast('float64', Float64Array.from(numbers), 'float16')).toEqual(bits)
  })

  test('rounds to the nearest float16, ties to even', async () => {
    const numbers = Float64Array.of(
      1 + 2 ** -11,
      1 + 3 * 2 ** -11,
      65519.9,
      65520,
      2047.5 / 1024,
      2 ** -25,
      2 ** -26,
    )
    const bits = [0x3c00, 0x3c02, 0x7bff, 0x7c00, 0x4000, 0x0000, 0x0000]
    expect(await cast('float64', numbers, 'float16')).toEqual(bits)
  })

  test('integers truncate and wrap', async () => {
    expect(await cast('float32', Float32Array.of(2.7, -2.7, 300), 'int8')).toEqual([2, -2, 44])
    expect(await cast('int64', BigInt64Array.of(2n ** 33n + 5n, -1n), 'int32')).toEqual([5, -1])
    expect(await cast('int64', BigInt64Array.of(258n, -1n), 'uint8')).toEqual([2, 255])
    expect(await cast('float32', Float32Array.of(-1.5, NaN, 3e30), 'int64')).toEqual([
      -1n,
      0n,
      2n ** 63n - 1024n,
    ])
  })

  test('whatever is not zero is true', async () => {
    expect(await cast('float32', Float32Array.of(0, -0, 0.1, NaN), 'bool')).toEqual([0, 0, 1, 1])
  })
})
