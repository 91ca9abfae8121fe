// SPDX-License-Identifier: Apache-2.0
import type { Tensor } from '@mlcapsule/contracts'
import { describe, expect, test } from 'vitest'
import { faultKind, runOperator } from '../testing.ts'
import { recurrentActivations } from './recurrent-activations.ts'
import { floats, ramp, rounded } from './testing.ts'

const near = (value: number) => Math.round(value * 1e6) / 1e6
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const lengths = (...values: number[]): Tensor => ({
  dtype: 'int32',
  shape: [values.length],
  data: Int32Array.from(values),
})
const number = (name: (typeof recurrentActivations)[number]) => recurrentActivations.indexOf(name)
const affine = { activations: [number('Affine')], activation_alpha: [1], activation_beta: [0] }

describe('RNN', () => {
  // One element, h = x + h / 2 with Affine for f.
  const w = floats([1, 1, 1], [1])
  const r = floats([1, 1, 1], [0.5])
  const x = floats([3, 1, 1], [1, 2, 4])

  test('goes through the steps, or back', () => {
    const [y, last] = runOperator('RNN', [x, w, r], affine, 2)
    expect(y).toEqual(floats([3, 1, 1, 1], [1, 2.5, 5.25]))
    expect(last).toEqual(floats([1, 1, 1], [5.25]))
    const [back, first] = runOperator('RNN', [x, w, r], { ...affine, direction: 'reverse' }, 2)
    expect(back).toEqual(floats([3, 1, 1, 1], [3, 4, 4]))
    expect(first).toEqual(floats([1, 1, 1], [3]))
  })

  test('takes tanh unless told otherwise, with both biases and a first h', () => {
    const inputs = [
      floats([1, 1, 1], [0.5]),
      w,
      r,
      floats([1, 2], [0.25, 0.5]),
      null,
      floats([1, 1, 1], [-1]),
    ]
    expect(rounded(runOperator('RNN', inputs)[0])).toEqual([near(Math.tanh(0.75))])
  })

  test('stops each sequence at its length, and turns it within that', () => {
    const batch = floats([3, 2, 1], [1, 1, 2, 2, 4, 4])
    const inputs = [batch, w, r, null, lengths(2, 0)]
    const [y, last] = runOperator('RNN', inputs, { ...affine, direction: 'reverse' }, 2)
    expect(y).toEqual(floats([3, 1, 2, 1], [2, 0, 2, 0, 0, 0]))
    expect(last).toEqual(floats([1, 2, 1], [2, 0]))
  })

  test('goes both ways, batch first or not', () => {
    const both = { ...affine, activations: [3, 3], activation_alpha: [1, 2], activation_beta: [0, 0] }
    const inputs = [x, floats([2, 1, 1], [1, 1]), floats([2, 1, 1], [0.5, 0.5])]
    const [y, last] = runOperator('RNN', inputs, { ...both, direction: 'bidirectional' }, 2)
    expect(y).toEqual(floats([3, 2, 1, 1], [1, 14, 2.5, 12, 5.25, 8]))
    expect(last).toEqual(floats([2, 1, 1], [5.25, 14]))
    const batchFirst = [floats([1, 3, 1], [1, 2, 4]), ...inputs.slice(1)]
    const [z, end] = runOperator('RNN', batchFirst, { ...both, direction: 'bidirectional', layout: 1 }, 2)
    expect(z).toEqual(floats([1, 3, 2, 1], [1, 14, 2.5, 12, 5.25, 8]))
    expect(end).toEqual(floats([1, 2, 1], [5.25, 14]))
  })

  test('bounds what goes into the function', () => {
    expect(rounded(runOperator('RNN', [x, w, r], { ...affine, clip: 1.5 })[0])).toEqual([1, 1.5, 1.5])
  })

  test.each([
    ['Relu', -2, 0],
    ['LeakyRelu', -2, -0.02],
    ['HardSigmoid', 1, 0.7],
    ['Elu', -1, Math.expm1(-1)],
    ['Softsign', -3, -0.75],
    ['Softplus', 2, Math.log1p(Math.exp(2))],
    ['Sigmoid', 2, sigmoid(2)],
  ] as const)('applies %s', (name, value, expected) => {
    const inputs = [floats([1, 1, 1], [value]), w, r]
    expect(rounded(runOperator('RNN', inputs, { activations: [number(name)] })[0])).toEqual([near(expected)])
  })

  test.each([
    ['ThresholdedRelu', 0.5, 0],
    ['ScaledTanh', 0.5, 2 * Math.tanh(1.5)],
    ['Affine', 0.5, 4],
  ] as const)('applies %s with parameters, and refuses it without', (name, value, expected) => {
    const inputs = [floats([1, 1, 1], [value]), w, r]
    const activations = [number(name)]
    const attributes = { activations, activation_alpha: [2], activation_beta: [3] }
    expect(rounded(runOperator('RNN', inputs, attributes)[0])).toEqual([near(expected)])
    expect(faultKind('RNN', inputs, { activations })).toBe('unsupported')
  })

  test('refuses what does not fit', () => {
    expect(faultKind('RNN', [ramp([3, 1]), w, r])).toBe('mismatch')
    expect(faultKind('RNN', [x, w, ramp([1, 2, 1])])).toBe('mismatch')
    expect(faultKind('RNN', [x, w, r], { hidden_size: 2 })).toBe('mismatch')
    expect(faultKind('RNN', [x, w, r], { layout: 2 })).toBe('mismatch')
    expect(faultKind('RNN', [x, w, r], { clip: -1 })).toBe('mismatch')
    expect(faultKind('RNN', [x, w, r], { activations: [11] })).toBe('mismatch')
    expect(faultKind('RNN', [x, w, r], { activations: [0, 0] })).toBe('mismatch')
    expect(faultKind('RNN', [x, w, r], { direction: 'bidirectional' })).toBe('mismatch')
    expect(faultKind('RNN', [x, w, r, null, lengths(1, 1)])).toBe('mismatch')
    expect(faultKind('RNN', [x, w, r, null, lengths(4)])).toBe('value')
    expect(faultKind('RNN', [x, w, r, null, lengths(-1)])).toBe('value')
  })

  test('of no steps keeps its state', () => {
    const [y, last] = runOperator('RNN', [ramp([0, 1, 1]), w, r, null, null, floats([1, 1, 1], [7])], {}, 2)
    expect(y?.shape).toEqual([0, 1, 1, 1])
    expect(rounded(last)).toEqual([7])
  })
})

describe('LSTM', () => {
  const w = floats([1, 4, 1], [0.5, -1, 2, 1])
  const r = floats([1, 4, 1], [1, 0.5, -0.5, -1])
  const b = floats([1, 8], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
  const p = floats([1, 3], [0.5, -0.5, 0.25])
  const state = (value: number) => floats([1, 1, 1], [value])
  const inputs = (x: number) => [state(x), w, r, b, null, state(0.5), state(-0.5), p]

  /** One step by the defining formulas, gates in the order input, output, forget, cell. */
  function step(x: number, h: number, c: number, isCoupled: boolean) {
    const i = sigmoid(0.5 * x + h + 0.6 + 0.5 * c)
    const f = isCoupled ? 1 - i : sigmoid(2 * x - 0.5 * h + 1 + 0.25 * c)
    const g = Math.tanh(x - h + 1.2)
    const cell = f * c + i * g
    const o = sigmoid(-x + 0.5 * h + 0.8 - 0.5 * cell)
    return { h: o * Math.tanh(cell), c: cell }
  }

  test.each([false, true])('follows the formulas, forgetting coupled: %s', (isCoupled) => {
    const expected = step(2, 0.5, -0.5, isCoupled)
    const [y, h, c] = runOperator('LSTM', inputs(2), { input_forget: isCoupled ? 1 : 0 }, 3)
    expect(rounded(y)[0]).toBeCloseTo(expected.h, 5)
    expect(h?.data).toEqual(y?.data)
    expect(rounded(c)[0]).toBeCloseTo(expected.c, 5)
  })

  test('carries both states over steps, and keeps those of a sequence that ended', () => {
    const x = floats([2, 2, 1], [2, 2, 1, 1])
    const states = [floats([1, 2, 1], [0.5, 0.5]), floats([1, 2, 1], [-0.5, -0.5])]
    const [y, h, c] = runOperator('LSTM', [x, w, r, b, lengths(2, 1), ...states, p], {}, 3)
    const first = step(2, 0.5, -0.5, false)
    const second = step(1, first.h, first.c, false)
    const expected = [first.h, first.h, second.h, 0]
    for (const [i, value] of rounded(y).entries()) expect(value).toBeCloseTo(expected[i] as number, 5)
    expect(rounded(h)[0]).toBeCloseTo(second.h, 5)
    expect(rounded(h)[1]).toBeCloseTo(first.h, 5)
    expect(rounded(c)[0]).toBeCloseTo(second.c, 5)
    expect(rounded(c)[1]).toBeCloseTo(first.c, 5)
  })

  test('refuses what does not fit', () => {
    expect(faultKind('LSTM', [state(1), w, ramp([1, 3, 1])])).toBe('mismatch')
    expect(faultKind('LSTM', [state(1), w, r, ramp([1, 4])])).toBe('mismatch')
    expect(faultKind('LSTM', [state(1), w, r, b, null, null, ramp([1, 2, 1])])).toBe('mismatch')
    expect(faultKind('LSTM', [state(1), w, r, b, null, null, null, ramp([1, 4])])).toBe('mismatch')
  })
})

describe('GRU', () => {
  const w = floats([1, 3, 1], [0.5, -1, 2])
  const r = floats([1, 3, 1], [1, 0.5, -0.5])
  const b = floats([1, 6], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
  const first = floats([1, 1, 1], [0.5])

  test.each([false, true])('follows the formulas, linear before reset: %s', (isLinearFirst) => {
    const [y, last] = runOperator(
      'GRU',
      [floats([1, 1, 1], [2]), w, r, b, null, first],
      { linear_before_reset: isLinearFirst ? 1 : 0 },
      2,
    )
    const z = sigmoid(1 + 0.5 + 0.5)
    const reset = sigmoid(-2 + 0.25 + 0.7)
    const linear = isLinearFirst ? reset * (-0.25 + 0.6) : reset * -0.25 + 0.6
    const h = Math.tanh(4 + 0.3 + linear)
    expect(rounded(y)[0]).toBeCloseTo((1 - z) * h + z * 0.5, 5)
    expect(last?.data).toEqual(y?.data)
  })

  test('keeps the state of a sequence that has ended', () => {
    const inputs = [ramp([2, 2, 1]), w, r, b, lengths(2, 0), floats([1, 2, 1], [0.5, 0.25])]
    expect(rounded(runOperator('GRU', inputs, {}, 2)[1])[1]).toBe(0.25)
  })
})
