// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { elementsOfResult, floats, list, outcome, tensor } from './testing.ts'

const fault = (kind: string) => expect.objectContaining({ kind })

describe('comparisons', () => {
  test.each([
    ['Equal', [0, 1, 0]],
    ['Less', [1, 0, 0]],
    ['LessOrEqual', [1, 1, 0]],
    ['Greater', [0, 0, 1]],
    ['GreaterOrEqual', [0, 1, 1]],
  ])('%s', (name, elements) => {
    const expected = { dtype: 'bool', shape: [3], elements }
    expect(outcome(name, [list('float32', [1, 2, 3]), list('float32', [2])])).toEqual(expected)
    expect(outcome(name, [list('uint8', [1, 200, 255]), list('uint8', [200])])).toEqual(expected)
    const big = 2n ** 60n
    expect(outcome(name, [list('int64', [big, big + 1n, big + 2n]), list('int64', [big + 1n])])).toEqual(
      expected,
    )
  })

  test('NaN is not equal, nor in any order', () => {
    const nan = floats([], [Number.NaN])
    for (const name of ['Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual'])
      expect(elementsOfResult(name, [nan, nan])).toEqual([0])
  })

  test('bools are equal or not, and have no order', () => {
    const x = list('bool', [0, 1])
    expect(elementsOfResult('Equal', [x, list('bool', [1])])).toEqual([0, 1])
    expect(() => outcome('Less', [x, x])).toThrowError(fault('unsupported'))
  })
})

describe('connectives', () => {
  const x = tensor('bool', [4], [0, 0, 1, 1])
  const y = tensor('bool', [4], [0, 1, 0, 1])

  test.each([
    ['And', [0, 0, 0, 1]],
    ['Or', [0, 1, 1, 1]],
    ['Xor', [0, 1, 1, 0]],
  ])('%s', (name, elements) => {
    expect(outcome(name, [x, y])).toEqual({ dtype: 'bool', shape: [4], elements })
    expect(() => outcome(name, [list('int32', [1]), list('int32', [1])])).toThrowError(fault('unsupported'))
  })

  test('whatever is not 0 is true', () => {
    const two = list('bool', [2])
    expect(elementsOfResult('Not', [two])).toEqual([0])
    expect(elementsOfResult('And', [two, list('bool', [1])])).toEqual([1])
    expect(elementsOfResult('Xor', [two, list('bool', [1])])).toEqual([0])
  })
})

describe('Where', () => {
  test('broadcasts all three', () => {
    const condition = tensor('bool', [2, 1], [1, 0])
    expect(outcome('Where', [condition, floats([3], [1, 2, 3]), floats([], [9])])).toEqual({
      dtype: 'float32',
      shape: [2, 3],
      elements: [1, 2, 3, 9, 9, 9],
    })
  })

  test('moves any dtype', () => {
    const condition = list('bool', [0, 1])
    expect(elementsOfResult('Where', [condition, list('int64', [1n, 2n]), list('int64', [3n, 4n])])).toEqual([
      3n,
      2n,
    ])
    expect(elementsOfResult('Where', [condition, list('bool', [1, 1]), list('bool', [0, 0])])).toEqual([0, 1])
  })

  test('refuses two dtypes, and a condition that is not bool', () => {
    const one = list('float32', [1])
    expect(() => outcome('Where', [list('bool', [1]), one, list('int32', [1])])).toThrowError(
      fault('mismatch'),
    )
    expect(() => outcome('Where', [one, one, one])).toThrowError(fault('unsupported'))
  })
})

describe('bits', () => {
  test('shifts, by all bits or more to 0', () => {
    const x = list('uint32', [0x80000001, 1, 1])
    const by = list('uint32', [1, 31, 32])
    expect(elementsOfResult('BitShift', [x, by], { direction: 'LEFT' })).toEqual([2, 0x80000000, 0])
    expect(elementsOfResult('BitShift', [x, by], { direction: 'RIGHT' })).toEqual([0x40000000, 0, 0])
    const long = list('uint64', [2n ** 63n + 1n, 1n])
    expect(elementsOfResult('BitShift', [long, list('uint64', [1n, 2n ** 40n])])).toEqual([2n, 0n])
    expect(elementsOfResult('BitShift', [list('uint8', [255]), list('uint8', [4])])).toEqual([240])
    expect(() => outcome('BitShift', [list('int32', [1]), list('int32', [1])])).toThrowError(
      fault('unsupported'),
    )
  })

  test('and, or, xor, not', () => {
    const x = list('uint8', [0b1100])
    const y = list('uint8', [0b1010])
    expect(elementsOfResult('BitwiseAnd', [x, y])).toEqual([0b1000])
    expect(elementsOfResult('BitwiseOr', [x, y])).toEqual([0b1110])
    expect(elementsOfResult('BitwiseXor', [x, y])).toEqual([0b0110])
    expect(elementsOfResult('BitwiseNot', [x])).toEqual([0b11110011])
    expect(elementsOfResult('BitwiseNot', [list('int64', [5n])])).toEqual([-6n])
    expect(elementsOfResult('BitwiseOr', [list('uint32', [2 ** 31]), list('uint32', [1])])).toEqual([
      2 ** 31 + 1,
    ])
    expect(elementsOfResult('BitwiseXor', [list('int64', [-1n]), list('int64', [1n])])).toEqual([-2n])
  })
})
