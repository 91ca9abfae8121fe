// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { runOperator } from '../testing.ts'
import { elementsOfResult, floats, list, outcome, tensor } from './testing.ts'

const fault = (kind: string) => expect.objectContaining({ kind })

describe('QuantizeLinear', () => {
  test('rounds halves to even, moves by the zero point and holds within the dtype', () => {
    const x = list('float32', [0, 1, 3, -1, -3, 1000, -1000, Number.POSITIVE_INFINITY])
    expect(outcome('QuantizeLinear', [x, floats([], [2]), tensor('uint8', [], [128])])).toEqual({
      dtype: 'uint8',
      shape: [8],
      elements: [128, 128, 130, 128, 126, 255, 0, 255],
    })
    expect(elementsOfResult('QuantizeLinear', [x, floats([], [2]), tensor('int8', [], [0])])).toEqual([
      0, 0, 2, 0, -2, 127, -128, 127,
    ])
  })

  test('uint8 unless a zero point or output_dtype says otherwise', () => {
    const x = list('float32', [-5])
    const scale = floats([], [1])
    expect(outcome('QuantizeLinear', [x, scale])).toEqual({ dtype: 'uint8', shape: [1], elements: [0] })
    expect(outcome('QuantizeLinear', [x, scale], { output_dtype: 'int16' }).dtype).toBe('int16')
    expect(outcome('QuantizeLinear', [list('int32', [70_000]), scale, list('uint16', [0])]).elements).toEqual(
      [65_535],
    )
  })

  test('one scale per index of an axis', () => {
    const x = floats([2, 2], [2, 4, 6, 8])
    const scale = list('float32', [1, 2])
    const zeroPoint = list('uint8', [0, 10])
    expect(elementsOfResult('QuantizeLinear', [x, scale, zeroPoint])).toEqual([2, 12, 6, 14])
    expect(elementsOfResult('QuantizeLinear', [x, scale, zeroPoint], { axis: 0 })).toEqual([2, 4, 13, 14])
  })

  test('one scale per block', () => {
    const x = floats([1, 3, 2], [1, 2, 3, 4, 5, 6])
    const scale = floats([1, 2, 2], [1, 2, 0.5, 1])
    expect(elementsOfResult('QuantizeLinear', [x, scale], { axis: 1, block_size: 2 })).toEqual([
      1, 1, 3, 2, 10, 6,
    ])
  })

  test('refuses scales that do not fit', () => {
    const x = floats([2, 2], [1, 2, 3, 4])
    expect(() => outcome('QuantizeLinear', [x, list('float32', [1, 2, 3])])).toThrowError(fault('mismatch'))
    expect(() => outcome('QuantizeLinear', [x, list('float32', [1, 2]), list('uint8', [1])])).toThrowError(
      fault('mismatch'),
    )
    expect(() => outcome('QuantizeLinear', [x, floats([1, 2], [1, 1])], { block_size: 1 })).toThrowError(
      fault('mismatch'),
    )
    expect(() => outcome('QuantizeLinear', [x, floats([], [1]), tensor('int64', [], [1n])])).toThrowError(
      fault('unsupported'),
    )
    expect(() => outcome('QuantizeLinear', [x, list('float32', [1, 2])], { axis: 2 })).toThrowError(
      fault('mismatch'),
    )
    expect(() => outcome('QuantizeLinear', [x, list('float32', [1, 2])], { block_size: -1 })).toThrowError(
      fault('mismatch'),
    )
  })
})

describe('DequantizeLinear', () => {
  test('of one scale, per axis and per block', () => {
    const x = tensor('uint8', [2, 2], [0, 128, 129, 255])
    expect(outcome('DequantizeLinear', [x, floats([], [0.5]), tensor('uint8', [], [128])])).toEqual({
      dtype: 'float32',
      shape: [2, 2],
      elements: [-64, 0, 0.5, 63.5],
    })
    expect(elementsOfResult('DequantizeLinear', [x, list('float32', [1, 2])])).toEqual([0, 256, 129, 510])
    expect(elementsOfResult('DequantizeLinear', [x, list('float32', [1, 2])], { axis: 0 })).toEqual([
      0, 128, 258, 510,
    ])
    expect(elementsOfResult('DequantizeLinear', [x, floats([2, 1], [1, 2])], { block_size: 2 })).toEqual([
      0, 128, 258, 510,
    ])
  })

  test('of int32, and of nothing', () => {
    expect(elementsOfResult('DequantizeLinear', [list('int32', [-7]), floats([], [2])])).toEqual([-14])
    expect(outcome('DequantizeLinear', [tensor('int8', [0, 2], []), floats([], [2])]).shape).toEqual([0, 2])
  })

  test('refuses a zero point of another dtype', () => {
    expect(() =>
      outcome('DequantizeLinear', [list('int8', [1]), floats([], [1]), tensor('uint8', [], [1])]),
    ).toThrowError(fault('mismatch'))
  })
})

describe('DynamicQuantizeLinear', () => {
  const quantize = (elements: readonly number[]) =>
    runOperator('DynamicQuantizeLinear', [list('float32', elements)], {}, 3).map(({ dtype, shape, data }) => [
      dtype,
      shape,
      [...data],
    ])

  test('takes scale and zero point from the range, which has 0 in it', () => {
    expect(quantize([-51, 0, 204])).toEqual([
      ['uint8', [3], [0, 51, 255]],
      ['float32', [], [1]],
      ['uint8', [], [51]],
    ])
    expect(quantize([255, 510])).toEqual([
      ['uint8', [2], [128, 255]],
      ['float32', [], [2]],
      ['uint8', [], [0]],
    ])
  })

  test('of zeros and of nothing', () => {
    expect(quantize([0, 0])).toEqual([
      ['uint8', [2], [0, 0]],
      ['float32', [], [1]],
      ['uint8', [], [0]],
    ])
    expect(quantize([])[1]).toEqual(['float32', [], [1]])
  })
})
