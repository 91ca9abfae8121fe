// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { elementsOfResult, floats, list, outcome, tensor } from './testing.ts'

const fault = (kind: string) => expect.objectContaining({ kind })
const x = floats([2, 3], [3, 1, 3, 0, 2, 1])

describe('ArgMax and ArgMin', () => {
  test('give the first of equal elements, or the last', () => {
    expect(outcome('ArgMax', [x], { axis: 1 })).toEqual({ dtype: 'int64', shape: [2, 1], elements: [0n, 1n] })
    expect(elementsOfResult('ArgMax', [x], { axis: -1, select_last_index: true })).toEqual([2n, 1n])
    expect(elementsOfResult('ArgMin', [x], { axis: 1 })).toEqual([1n, 0n])
    expect(outcome('ArgMin', [x], { keepdims: false })).toEqual({
      dtype: 'int64',
      shape: [3],
      elements: [1n, 0n, 1n],
    })
  })

  test('the first NaN is extreme', () => {
    const nan = list('float32', [1, Number.NaN, 5, Number.NaN])
    expect(elementsOfResult('ArgMax', [nan])).toEqual([1n])
    expect(elementsOfResult('ArgMin', [nan])).toEqual([1n])
  })

  test('compare 64-bit integers exactly', () => {
    expect(elementsOfResult('ArgMax', [list('int64', [2n ** 60n, 2n ** 60n + 1n])])).toEqual([1n])
  })

  test('nothing has no extreme', () => {
    expect(() => outcome('ArgMax', [floats([2, 0], [])], { axis: 1 })).toThrowError(fault('mismatch'))
    expect(outcome('ArgMax', [floats([2, 0], [])], { axis: 0 })).toEqual({
      dtype: 'int64',
      shape: [1, 0],
      elements: [],
    })
    expect(() => outcome('ArgMax', [floats([], [1])])).toThrowError(fault('mismatch'))
  })
})

describe('CumSum', () => {
  const axis = (value: number) => tensor('int32', [], [value])

  test('sums from the start or the end, with or without the element itself', () => {
    expect(elementsOfResult('CumSum', [x, axis(1)])).toEqual([3, 4, 7, 0, 2, 3])
    expect(elementsOfResult('CumSum', [x, axis(0)])).toEqual([3, 1, 3, 3, 3, 4])
    expect(elementsOfResult('CumSum', [x, axis(-1)], { exclusive: true })).toEqual([0, 3, 4, 0, 0, 2])
    expect(elementsOfResult('CumSum', [x, axis(1)], { reverse: true })).toEqual([7, 4, 3, 3, 3, 1])
    expect(elementsOfResult('CumSum', [x, axis(1)], { reverse: true, exclusive: true })).toEqual([
      4, 3, 0, 3, 1, 0,
    ])
  })

  test('integers wrap', () => {
    expect(elementsOfResult('CumSum', [list('int64', [2n ** 63n - 1n, 1n]), axis(0)])).toEqual([
      2n ** 63n - 1n,
      -(2n ** 63n),
    ])
    expect(elementsOfResult('CumSum', [list('uint32', [2 ** 32 - 1, 2]), axis(0)])).toEqual([2 ** 32 - 1, 1])
  })

  test('refuses an axis out of range or more than one', () => {
    expect(() => outcome('CumSum', [x, axis(2)])).toThrowError(fault('mismatch'))
    expect(() => outcome('CumSum', [x, list('int64', [0n, 1n])])).toThrowError(fault('mismatch'))
  })
})

describe('CumProd', () => {
  const axis = tensor('int64', [], [-1n])

  test('multiplies up from the start or the end, with or without the element itself', () => {
    const y = floats([2, 3], [2, 3, 4, -1, 0.5, 0])
    expect(elementsOfResult('CumProd', [y, axis])).toEqual([2, 6, 24, -1, -0.5, -0])
    expect(elementsOfResult('CumProd', [y, axis], { exclusive: true })).toEqual([1, 2, 6, 1, -1, -0.5])
    expect(elementsOfResult('CumProd', [y, axis], { reverse: true })).toEqual([24, 12, 4, -0, 0, 0])
  })

  test('integers wrap', () => {
    const int32 = tensor('int32', [3], [2 ** 31 - 1, 2 ** 31 - 1, 3])
    expect(elementsOfResult('CumProd', [int32, axis])).toEqual([2 ** 31 - 1, 1, 3])
    expect(elementsOfResult('CumProd', [list('uint32', [2 ** 32 - 1, 2 ** 32 - 1]), axis])).toEqual([
      2 ** 32 - 1,
      1,
    ])
    expect(elementsOfResult('CumProd', [list('int64', [2n ** 62n, 3n]), axis])).toEqual([
      2n ** 62n,
      -(2n ** 62n),
    ])
  })
})

describe('Softmax, LogSoftmax and Hardmax', () => {
  test('along any axis', () => {
    const y = floats([2, 2], [0, Math.log(3), Math.log(9), 0])
    const close = (name: string, axis: number, expected: readonly number[]) => {
      const actual = elementsOfResult(name, [y], { axis }) as readonly number[]
      for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 6)
    }
    close('Softmax', -1, [0.25, 0.75, 0.9, 0.1])
    close('Softmax', 0, [0.1, 0.75, 0.9, 0.25])
    close('LogSoftmax', 1, [0.25, 0.75, 0.9, 0.1].map(Math.log))
    expect(elementsOfResult('Hardmax', [x], { axis: 1 })).toEqual([1, 0, 0, 0, 1, 0])
    expect(elementsOfResult('Hardmax', [x], { axis: 0 })).toEqual([1, 0, 1, 0, 1, 0])
  })

  test('large elements do not overflow', () => {
    expect(elementsOfResult('Softmax', [list('float32', [1000, 1000])])).toEqual([0.5, 0.5])
  })

  test('nothing along the axis gives nothing; a scalar has no axis', () => {
    expect(outcome('Softmax', [floats([2, 0], [])]).shape).toEqual([2, 0])
    expect(() => outcome('Softmax', [floats([], [1])])).toThrowError(fault('mismatch'))
    expect(() => outcome('Softmax', [list('int32', [1])])).toThrowError(fault('unsupported'))
  })
})
