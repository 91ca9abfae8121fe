// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { elementsOfResult, floats, list, outcome, tensor } from './testing.ts'

test('Clip holds elements between bounds that may be left out', () => {
  const x = list('float32', [-2, 0.5, 2, Number.NaN])
  expect(elementsOfResult('Clip', [x, floats([], [-1]), floats([], [1])])).toEqual([-1, 0.5, 1, Number.NaN])
  expect(elementsOfResult('Clip', [x, null, floats([1], [1])])).toEqual([-2, 0.5, 1, Number.NaN])
  expect(elementsOfResult('Clip', [x, floats([], [0])])).toEqual([0, 0.5, 2, Number.NaN])
  expect(elementsOfResult('Clip', [x])).toEqual([-2, 0.5, 2, Number.NaN])
})

test('the upper bound wins over a greater lower one', () => {
  expect(
    elementsOfResult('Clip', [list('int8', [-5, 5]), tensor('int8', [], [2]), tensor('int8', [], [1])]),
  ).toEqual([1, 1])
})

test('64-bit integers are compared exactly', () => {
  const x = list('int64', [2n ** 62n, 2n ** 62n + 2n])
  expect(elementsOfResult('Clip', [x, tensor('int64', [], [2n ** 62n + 1n])])).toEqual([
    2n ** 62n + 1n,
    2n ** 62n + 2n,
  ])
})

test('refuses bounds of another dtype or with more than one element', () => {
  const x = list('float32', [1])
  const mismatch = expect.objectContaining({ kind: 'mismatch' })
  expect(() => outcome('Clip', [x, list('int32', [1])])).toThrowError(mismatch)
  expect(() => outcome('Clip', [x, null, list('float32', [1, 2])])).toThrowError(mismatch)
  expect(() => outcome('Clip', [x, null, list('float32', [])])).toThrowError(mismatch)
})
