// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DType, dtypes, elementSizeBytes, viewTensorData } from './dtype.ts'
import { assertTensor, elementCount, maxRank, type Tensor } from './tensor.ts'

const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 5 })

describe('assertTensor', () => {
  test('takes every dtype with as many elements as its shape has', () => {
    fc.assert(
      fc.property(fc.constantFrom(...dtypes), shapes, (dtype, shape) => {
        const count = elementCount(shape)
        const data = viewTensorData(dtype, new ArrayBuffer(count * elementSizeBytes(dtype)), 0, count)
        expect(data.BYTES_PER_ELEMENT).toBe(elementSizeBytes(dtype))
        assertTensor({ dtype, shape, data }, 'input')
      }),
    )
  })

  test('a scalar has one element', () => {
    expect(elementCount([])).toBe(1)
    assertTensor({ dtype: 'float32', shape: [], data: new Float32Array(1) }, 'input')
  })

  const bad: [string, Tensor][] = [
    ['too few elements', { dtype: 'float32', shape: [2, 2], data: new Float32Array(3) }],
    ['an array of another dtype', { dtype: 'float32', shape: [2], data: new Int32Array(2) }],
    ['an unknown dtype', { dtype: 'float8' as DType, shape: [2], data: new Int8Array(2) }],
    ['an inherited dtype', { dtype: 'constructor' as DType, shape: [2], data: new Int8Array(2) }],
    ['a negative dimension', { dtype: 'float32', shape: [-1], data: new Float32Array(0) }],
    ['a fractional dimension', { dtype: 'float32', shape: [1.5], data: new Float32Array(1) }],
    ['too many dimensions', { dtype: 'int8', shape: Array(maxRank + 1).fill(1), data: new Int8Array(1) }],
    ['an overflowing shape', { dtype: 'int8', shape: [2 ** 40, 2 ** 40], data: new Int8Array(1) }],
  ]
  test.each(bad)('refuses %s and names the tensor', (_reason, tensor) => {
    expect(() => assertTensor(tensor, 'inputs.image')).toThrow(
      expect.objectContaining({ code: 'CONTRACT_TENSOR_INVALID', field: 'inputs.image' }),
    )
  })
})
