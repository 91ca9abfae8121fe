// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { elementsOfResult, floats, list, outcome, tensor } from './testing.ts'

const fault = (kind: string) => expect.objectContaining({ kind })

describe('arithmetic', () => {
  test('broadcasts both operands', () => {
    const column = floats([2, 1], [10, 20])
    const row = floats([3], [1, 2, 3])
    expect(outcome('Add', [column, row])).toEqual({
      dtype: 'float32',
      shape: [2, 3],
      elements: [11, 12, 13, 21, 22, 23],
    })
    expect(elementsOfResult('Sub', [column, row])).toEqual([9, 8, 7, 19, 18, 17])
    expect(elementsOfResult('Sub', [floats([], [1]), row])).toEqual([0, -1, -2])
  })

  test('empty tensors broadcast with scalars', () => {
    expect(outcome('Mul', [floats([2, 0], []), floats([1], [2])]).shape).toEqual([2, 0])
  })

  test('integers wrap', () => {
    expect(elementsOfResult('Add', [list('int8', [127]), list('int8', [2])])).toEqual([-127])
    expect(elementsOfResult('Mul', [list('int32', [0x7fffffff]), list('int32', [0x7fffffff])])).toEqual([1])
    expect(elementsOfResult('Mul', [list('uint32', [0xffffffff]), list('uint32', [0xffffffff])])).toEqual([1])
    expect(elementsOfResult('Add', [list('int64', [2n ** 63n - 1n]), list('int64', [1n])])).toEqual([
      -(2n ** 63n),
    ])
    expect(elementsOfResult('Sub', [list('uint64', [0n]), list('uint64', [1n])])).toEqual([2n ** 64n - 1n])
    expect(elementsOfResult('Mul', [list('int64', [2n ** 62n + 3n]), list('int64', [4n])])).toEqual([12n])
  })

  test('integers are divided toward 0', () => {
    const x = [7, -7, 7, -7]
    const y = [2, 2, -2, -2]
    expect(elementsOfResult('Div', [list('int32', x), list('int32', y)])).toEqual([3, -3, -3, 3])
    expect(elementsOfResult('Div', [list('int64', x.map(BigInt)), list('int64', y.map(BigInt))])).toEqual([
      3n,
      -3n,
      -3n,
      3n,
    ])
    expect(elementsOfResult('Div', [list('int32', [-(2 ** 31)]), list('int32', [-1])])).toEqual([-(2 ** 31)])
    expect(elementsOfResult('Div', [floats([], [1]), floats([], [0])])).toEqual([Number.POSITIVE_INFINITY])
  })

  test.each([
    ['Div', 'int32', 0],
    ['Div', 'uint64', 0n],
    ['Mod', 'int8', 0],
    ['Mod', 'int64', 0n],
  ] as const)('%s of %s by 0 is refused', (name, dtype, zero) => {
    expect(() => outcome(name, [list(dtype, [zero]), list(dtype, [zero])])).toThrowError(fault('value'))
  })

  test('Mod has the sign of the divisor, with fmod that of the dividend', () => {
    const x = list('int32', [7, -7, 7, -7, 6])
    const y = list('int32', [3, 3, -3, -3, 3])
    expect(elementsOfResult('Mod', [x, y])).toEqual([1, 2, -2, -1, 0])
    expect(elementsOfResult('Mod', [x, y], { fmod: true })).toEqual([1, -1, 1, -1, 0])
    const longX = list('int64', [7n, -7n, 7n, -7n])
    const longY = list('int64', [3n, 3n, -3n, -3n])
    expect(elementsOfResult('Mod', [longX, longY])).toEqual([1n, 2n, -2n, -1n])
    expect(elementsOfResult('Mod', [longX, longY], { fmod: true })).toEqual([1n, -1n, 1n, -1n])
    expect(elementsOfResult('Mod', [floats([2], [5.5, -5.5]), floats([], [2])], { fmod: true })).toEqual([
      1.5, -1.5,
    ])
    expect(() => outcome('Mod', [floats([], [1]), floats([], [1])])).toThrowError(fault('unsupported'))
  })

  test('refuses two dtypes, shapes that do not broadcast, and bool', () => {
    expect(() => outcome('Add', [list('int32', [1]), list('int64', [1n])])).toThrowError(fault('mismatch'))
    expect(() => outcome('Add', [floats([2], [1, 2]), floats([3], [1, 2, 3])])).toThrowError(
      fault('mismatch'),
    )
    expect(() => outcome('Add', [list('bool', [1]), list('bool', [1])])).toThrowError(fault('unsupported'))
  })
})

describe('Pow', () => {
  test('has the dtype of the base', () => {
    expect(outcome('Pow', [floats([2], [4, 9]), list('int32', [2, -1])])).toEqual({
      dtype: 'float32',
      shape: [2],
      elements: [16, Math.fround(1 / 9)],
    })
    expect(outcome('Pow', [list('int32', [2, 9]), floats([2], [3, 0.5])])).toEqual({
      dtype: 'int32',
      shape: [2],
      elements: [8, 3],
    })
    expect(outcome('Pow', [list('int64', [5n]), floats([], [2])]).elements).toEqual([25n])
    expect(outcome('Pow', [floats([], [2]), list('uint64', [10n])]).elements).toEqual([1024])
  })

  test('integers keep their low bits, whatever the exponent', () => {
    const long = (x: bigint, y: bigint) => elementsOfResult('Pow', [list('int64', [x]), list('int64', [y])])
    expect(long(3n, 41n)).toEqual([BigInt.asIntN(64, 3n ** 41n)])
    expect(long(2n, 2n ** 62n)).toEqual([0n])
    expect(long(-1n, 2n ** 62n + 1n)).toEqual([-1n])
    expect(elementsOfResult('Pow', [list('int32', [3, 7]), list('int64', [21n, 0n])])).toEqual([
      Number(BigInt.asIntN(32, 3n ** 21n)),
      1,
    ])
  })

  test('a negative exponent rounds toward 0', () => {
    const x = list('int32', [1, -1, -1, 5])
    expect(elementsOfResult('Pow', [x, list('int32', [-3, -3, -2, -1])])).toEqual([1, -1, 1, 0])
    expect(() => outcome('Pow', [list('int64', [0n]), list('int64', [-1n])])).toThrowError(fault('value'))
  })
})

describe('Min, Max, Sum and Mean', () => {
  test('of one, two and three operands, broadcast', () => {
    const a = floats([2, 1], [1, 5])
    const b = floats([2], [3, 4])
    const c = floats([], [2])
    expect(outcome('Max', [a])).toEqual({ dtype: 'float32', shape: [2, 1], elements: [1, 5] })
    expect(outcome('Max', [a, b]).elements).toEqual([3, 4, 5, 5])
    expect(outcome('Min', [a, b, c]).elements).toEqual([1, 1, 2, 2])
    expect(outcome('Sum', [a, b, c]).elements).toEqual([6, 7, 10, 11])
    expect(outcome('Mean', [a, b, c])).toEqual({
      dtype: 'float32',
      shape: [2, 2],
      elements: [2, 7 / 3, 10 / 3, 11 / 3].map(Math.fround),
    })
  })

  test('NaN goes through, integers are exact', () => {
    expect(
      elementsOfResult('Max', [list('float32', [Number.NaN, 1]), list('float32', [1, Number.NaN])]),
    ).toEqual([Number.NaN, Number.NaN])
    const x = list('uint64', [2n ** 64n - 1n, 2n ** 63n])
    const y = tensor('uint64', [], [2n ** 63n + 1n])
    expect(elementsOfResult('Max', [x, y])).toEqual([2n ** 64n - 1n, 2n ** 63n + 1n])
    expect(elementsOfResult('Min', [x, y])).toEqual([2n ** 63n + 1n, 2n ** 63n])
    expect(elementsOfResult('Min', [list('int16', [-3]), list('int16', [2])])).toEqual([-3])
  })

  test('refuses a gap among the operands', () => {
    expect(() => outcome('Sum', [floats([], [1]), null, floats([], [1])])).toThrowError(fault('mismatch'))
  })
})
