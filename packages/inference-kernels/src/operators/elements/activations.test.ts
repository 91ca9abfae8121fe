// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import type { AttributeValue } from '../attributes.ts'
import { elementsOfResult, list } from './testing.ts'

const x = list('float32', [-2, -0.25, 0, 1, 3])
const sigmoid = (value: number) => 1 / (1 + Math.exp(-value))

type Case = readonly [string, Readonly<Record<string, AttributeValue>>, readonly number[]]

describe('activations', () => {
  test.each<Case>([
    ['Relu', {}, [0, 0, 0, 1, 3]],
    ['LeakyRelu', { alpha: 0.5 }, [-1, -0.125, 0, 1, 3]],
    ['Elu', { alpha: 2 }, [2 * Math.expm1(-2), 2 * Math.expm1(-0.25), 0, 1, 3]],
    ['Celu', { alpha: 2 }, [2 * Math.expm1(-1), 2 * Math.expm1(-0.125), 0, 1, 3]],
    ['Selu', { alpha: 2, gamma: 3 }, [6 * Math.expm1(-2), 6 * Math.expm1(-0.25), 0, 3, 9]],
    ['HardSigmoid', { alpha: 0.25, beta: 0.5 }, [0, 0.4375, 0.5, 0.75, 1]],
    ['HardSwish', {}, [-2 / 6, -0.25 * (0.5 - 0.25 / 6), 0, 4 / 6, 3]],
    ['Sigmoid', {}, [-2, -0.25, 0, 1, 3].map(sigmoid)],
    ['Swish', { alpha: 2 }, [-2, -0.25, 0, 1, 3].map((it) => it * sigmoid(2 * it))],
    ['Softplus', {}, [-2, -0.25, 0, 1, 3].map((it) => Math.log(1 + Math.exp(it)))],
    ['Softsign', {}, [-2 / 3, -0.2, 0, 0.5, 0.75]],
    ['Mish', {}, [-2, -0.25, 0, 1, 3].map((it) => it * Math.tanh(Math.log(1 + Math.exp(it))))],
    ['Gelu', {}, [-0.0455003, -0.1003234, 0, 0.8413447, 2.9959503]],
    ['Gelu', { approximate: 'tanh' }, [-0.0454023, -0.1003227, 0, 0.841192, 2.9963627]],
    ['ThresholdedRelu', { alpha: 1 }, [0, 0, 0, 0, 3]],
    ['Shrink', { lambd: 1.5, bias: 0.5 }, [-1.5, 0, 0, 0, 2.5]],
  ])('%s %o', (name, attributes, expected) => {
    const actual = elementsOfResult(name, [x], attributes) as readonly number[]
    for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 5)
  })

  test('NaN stays NaN', () => {
    const nan = list('float32', [Number.NaN])
    for (const name of ['Relu', 'LeakyRelu', 'HardSigmoid', 'HardSwish', 'Shrink', 'Softplus', 'Celu']) {
      expect(elementsOfResult(name, [nan])).toEqual([Number.NaN])
    }
  })

  test('Relu of integers', () => {
    expect(elementsOfResult('Relu', [list('int64', [-5n, 5n])])).toEqual([0n, 5n])
    expect(elementsOfResult('Relu', [list('int8', [-5, 5])])).toEqual([0, 5])
  })

  test('a slope is broadcast to the input alone', () => {
    const input = { ...x, shape: [5, 1] }
    expect(elementsOfResult('PRelu', [input, list('float32', [0.5])])).toEqual([-1, -0.125, 0, 1, 3])
    expect(() => elementsOfResult('PRelu', [input, list('float32', [1, 2])])).toThrowError(
      expect.objectContaining({ kind: 'mismatch' }),
    )
    expect(elementsOfResult('PRelu', [list('int64', [-3n, 3n]), list('int64', [2n])])).toEqual([-6n, 3n])
  })
})
