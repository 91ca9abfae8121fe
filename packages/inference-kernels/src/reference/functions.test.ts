// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { recordEnums } from '../abi.generated.ts'
import { erf } from './erf.ts'
import { activationFunction, binaryFunction, unaryFunction } from './functions.ts'

// Values of DLMF table 7.23(i) and of the defining formulas, computed apart from this code.
test.each([
  [0, 0],
  [0.5, 0.5204998778130465],
  [1, 0.8427007929497149],
  [2, 0.9953222650189527],
  [3, 0.9999779095030014],
  [-1, -0.8427007929497149],
  [5.9, 1],
  [Number.POSITIVE_INFINITY, 1],
])('erf(%d)', (x, expected) => expect(erf(x)).toBeCloseTo(expected, 14))

test.each([
  ['relu', -2, 0],
  ['clamp', 5, 3],
  ['clamp', -5, 0.25],
  ['leakyrelu', -4, -1],
  ['sigmoid', 1, 0.7310585786300049],
  ['reciprocal', -4, -0.25],
  ['hardsigmoid', 1, 1],
  ['hardsigmoid', -11, 0.25],
  ['hardswish', 3, 3],
  ['hardswish', -3, 0],
  ['hardswish', 1, 2 / 3],
  ['elu', -1, -0.15803013970713942],
  ['softplus', 0, Math.LN2],
  ['softplus', 800, 800],
  ['floor', -1.5, -2],
  ['ceil', -1.5, -1],
] as const)('%s(%d)', (kind, x, expected) => {
  expect(unaryFunction(kind, 0.25, 3)(x)).toBeCloseTo(expected, 12)
})

test('silu and gelu', () => {
  expect(activationFunction({ kind: 'silu', alpha: 0, beta: 0 })(1)).toBeCloseTo(0.7310585786300049, 12)
  expect(activationFunction({ kind: 'gelu', alpha: 0, beta: 0 })(1)).toBeCloseTo(0.8413447460685429, 12)
  expect(activationFunction({ kind: 'none', alpha: 0, beta: 0 })(-7)).toBe(-7)
})

test('NaN comes out of every function that it goes into', () => {
  for (const kind of recordEnums.unary) expect(unaryFunction(kind, 0, 1)(Number.NaN)).toBeNaN()
  for (const kind of recordEnums.activation) {
    expect(activationFunction({ kind, alpha: 0, beta: 1 })(Number.NaN)).toBeNaN()
  }
  for (const kind of recordEnums.binary) expect(binaryFunction(kind)(Number.NaN, 2)).toBeNaN()
})

test('pow follows C99 where JavaScript does not', () => {
  const pow = binaryFunction('pow')
  expect(pow(1, Number.NaN)).toBe(1)
  expect(pow(-1, Number.POSITIVE_INFINITY)).toBe(1)
  expect(pow(-2, 3)).toBe(-8)
})
