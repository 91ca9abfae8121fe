// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { elementsOfResult, floats, list, outcome } from './testing.ts'

const infinity = Number.POSITIVE_INFINITY

describe('functions of one element', () => {
  test('Round takes halves to the even integer', () => {
    const x = list('float32', [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 2.4, -2.6, infinity, Number.NaN])
    expect(elementsOfResult('Round', [x])).toEqual([0, 2, 2, -0, -2, -2, 2, -3, infinity, Number.NaN])
  })

  test('Abs, Neg and Sign of floats', () => {
    const x = list('float32', [-1.5, 0, 2, -infinity])
    expect(elementsOfResult('Abs', [x])).toEqual([1.5, 0, 2, infinity])
    expect(elementsOfResult('Neg', [x])).toEqual([1.5, -0, -2, infinity])
    expect(elementsOfResult('Sign', [x])).toEqual([-1, 0, 1, -1])
  })

  test('Abs, Neg and Sign of integers, which wrap', () => {
    expect(outcome('Abs', [list('int8', [-128, -3, 4])])).toEqual({
      dtype: 'int8',
      shape: [3],
      elements: [-128, 3, 4],
    })
    const long = list('int64', [-(2n ** 63n), -5n, 7n])
    expect(elementsOfResult('Abs', [long])).toEqual([-(2n ** 63n), 5n, 7n])
    expect(elementsOfResult('Neg', [long])).toEqual([-(2n ** 63n), 5n, -7n])
    expect(elementsOfResult('Sign', [long])).toEqual([-1n, -1n, 1n])
    expect(elementsOfResult('Sign', [list('uint64', [0n, 2n ** 64n - 1n])])).toEqual([0n, 1n])
  })

  test('IsNaN and IsInf give bool', () => {
    const x = list('float32', [1, Number.NaN, infinity, -infinity])
    expect(outcome('IsNaN', [x])).toEqual({ dtype: 'bool', shape: [4], elements: [0, 1, 0, 0] })
    expect(elementsOfResult('IsInf', [x])).toEqual([0, 0, 1, 1])
    expect(elementsOfResult('IsInf', [x], { detect_negative: false })).toEqual([0, 0, 1, 0])
    expect(elementsOfResult('IsInf', [x], { detect_positive: false })).toEqual([0, 0, 0, 1])
  })

  test.each([
    ['Ceil', -1.5, -1],
    ['Floor', -1.5, -2],
    ['Sqrt', 6.25, 2.5],
    ['Exp', 0, 1],
    ['Log', 1, 0],
    ['Reciprocal', 4, 0.25],
    ['Sin', Math.PI / 6, 0.5],
    ['Cos', Math.PI / 3, 0.5],
    ['Tan', Math.PI / 4, 1],
    ['Asin', 1, Math.PI / 2],
    ['Acos', 1, 0],
    ['Atan', 1, Math.PI / 4],
    ['Sinh', Math.log(2), 0.75],
    ['Cosh', Math.log(2), 1.25],
    ['Tanh', Math.log(2), 0.6],
    ['Asinh', 0.75, Math.log(2)],
    ['Acosh', 1.25, Math.log(2)],
    ['Atanh', 0.6, Math.log(2)],
    ['Erf', 0.5, 0.5204998778130465],
  ])('%s of %f is %f', (name, x, expected) => {
    expect(elementsOfResult(name, [floats([], [x])])[0]).toBeCloseTo(expected, 6)
  })

  test('an empty tensor stays empty', () => {
    expect(outcome('Sin', [floats([2, 0], [])])).toEqual({ dtype: 'float32', shape: [2, 0], elements: [] })
  })

  test('refuses dtypes that an operator does not compute with, and no input', () => {
    expect(() => outcome('Sin', [list('int32', [1])])).toThrowError(
      expect.objectContaining({ kind: 'unsupported' }),
    )
    expect(() => outcome('Neg', [list('uint8', [1])])).toThrowError(
      expect.objectContaining({ kind: 'unsupported' }),
    )
    expect(() => outcome('Abs', [null])).toThrowError(expect.objectContaining({ kind: 'mismatch' }))
  })
})
