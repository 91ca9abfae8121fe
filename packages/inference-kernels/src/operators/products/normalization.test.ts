// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { faultKind, runOperator } from '../testing.ts'
import { floats, ramp, rounded } from './testing.ts'

const pairs = floats([2, 2], [1, 3, 2, -2])
const exact = { epsilon: 0 }

describe('LayerNormalization', () => {
  test('gives the result, means and inverse deviations', () => {
    const inputs = [pairs, floats([2], [2, 1]), floats([2], [0, 10])]
    const [y, mean, inverse] = runOperator('LayerNormalization', inputs, exact, 3)
    expect(rounded(y)).toEqual([-2, 11, 2, 9])
    expect(mean).toEqual(floats([2, 1], [2, 0]))
    expect(inverse).toEqual(floats([2, 1], [1, 0.5]))
  })

  test('goes over all dimensions from its axis on', () => {
    const [y, mean] = runOperator('LayerNormalization', [pairs, ramp([1])], { axis: -2, epsilon: 0 }, 2)
    expect(mean).toEqual(floats([1, 1], [1]))
    const deviation = Math.sqrt(3.5)
    expect(rounded(y)).toEqual([0, 1, 0.5, -1.5].map((it) => Math.round((it / deviation) * 1e6) / 1e6))
  })

  test('broadcasts a scale that is no suffix', () => {
    const inputs = [pairs, floats([2, 1], [2, 3]), floats([2, 1], [1, 0])]
    expect(rounded(runOperator('LayerNormalization', inputs, exact)[0])).toEqual([-1, 3, 3, -3])
  })

  test('of nothing is nothing; refuses what does not fit', () => {
    expect(runOperator('LayerNormalization', [ramp([0, 2]), ramp([2])])[0]?.shape).toEqual([0, 2])
    expect(faultKind('LayerNormalization', [pairs, ramp([3])])).toBe('mismatch')
    expect(faultKind('LayerNormalization', [pairs, ramp([2, 2, 2])])).toBe('mismatch')
    expect(faultKind('LayerNormalization', [pairs, ramp([2])], { axis: 2 })).toBe('mismatch')
    expect(faultKind('LayerNormalization', [ramp([]), ramp([])])).toBe('mismatch')
  })
})

test('RMSNormalization divides by the root of the mean of squares', () => {
  const y = runOperator('RMSNormalization', [floats([1, 2], [3, 4]), floats([2], [1, 2])], exact)[0]
  const root = Math.sqrt(12.5)
  expect(rounded(y)).toEqual([3 / root, 8 / root].map((it) => Math.round(it * 1e6) / 1e6))
})

describe('InstanceNormalization', () => {
  test('normalizes each channel', () => {
    const x = floats([1, 2, 2], [1, 3, 10, 30])
    const y = runOperator('InstanceNormalization', [x, floats([2], [1, 2]), floats([2], [0, 5])], exact)[0]
    expect(rounded(y)).toEqual([-1, 1, 3, 7])
  })

  test('refuses what does not fit', () => {
    expect(faultKind('InstanceNormalization', [ramp([2]), ramp([1]), ramp([1])])).toBe('mismatch')
    expect(faultKind('InstanceNormalization', [ramp([1, 2, 2]), ramp([3]), ramp([3])])).toBe('mismatch')
    expect(runOperator('InstanceNormalization', [ramp([0, 2, 2]), ramp([2]), ramp([2])])[0]?.shape).toEqual([
      0, 2, 2,
    ])
  })
})

describe('GroupNormalization', () => {
  const x = floats([1, 4, 1], [1, 3, 10, 30])
  const zeros = (count: number) => floats([count], new Array(count).fill(0))

  test('scales by channel or by group', () => {
    const attributes = { ...exact, num_groups: 2 }
    const perChannel = [x, floats([4], [1, 2, 3, 4]), zeros(4)]
    expect(rounded(runOperator('GroupNormalization', perChannel, attributes)[0])).toEqual([-1, 2, -3, 4])
    const perGroup = [x, floats([2], [1, 2]), floats([2], [0, 1])]
    expect(rounded(runOperator('GroupNormalization', perGroup, attributes)[0])).toEqual([-1, 1, -1, 3])
  })

  test('refuses what does not fit', () => {
    expect(faultKind('GroupNormalization', [x, zeros(4), zeros(4)], { num_groups: 3 })).toBe('mismatch')
    expect(faultKind('GroupNormalization', [x, zeros(4), zeros(4)], { num_groups: 0 })).toBe('mismatch')
    expect(faultKind('GroupNormalization', [x, zeros(4), zeros(2)], { num_groups: 2 })).toBe('mismatch')
  })
})

describe('BatchNormalization', () => {
  const parameters = [floats([2], [1, 2]), floats([2], [0, 10]), floats([2], [1, 2]), floats([2], [4, 1])]

  test('normalizes channels by the statistics it is given', () => {
    const y = runOperator('BatchNormalization', [floats([1, 2, 2], [1, 3, 2, 4]), ...parameters], exact)[0]
    expect(y).toEqual(floats([1, 2, 2], [0, 1, 10, 14]))
  })

  test('takes a vector as one channel, and parameters per element', () => {
    const single = [1, 0, 1, 4].map((it) => floats([1], [it]))
    expect(runOperator('BatchNormalization', [floats([2], [3, 5]), ...single], exact)[0]).toEqual(
      floats([2], [1, 2]),
    )
    const each = [
      [1, 2],
      [0, 10],
      [1, 2],
      [4, 1],
    ].map((it) => floats([1, 2], it))
    expect(runOperator('BatchNormalization', [floats([2, 1, 2], [1, 2, 3, 4]), ...each], exact)[0]).toEqual(
      floats([2, 1, 2], [0, 10, 1, 14]),
    )
  })

  test('refuses what does not fit', () => {
    expect(faultKind('BatchNormalization', [ramp([1, 3]), ...parameters])).toBe('mismatch')
    expect(faultKind('BatchNormalization', [ramp([]), ...parameters])).toBe('mismatch')
  })
})

describe('LRN', () => {
  test('divides by the squares of near channels', () => {
    const x = floats([1, 3, 1], [1, 2, 3])
    const attributes = { size: 3, alpha: 3, beta: 1, bias: 1 }
    expect(rounded(runOperator('LRN', [x], attributes)[0])).toEqual(
      [1 / 6, 2 / 15, 3 / 14].map((it) => Math.round(it * 1e6) / 1e6),
    )
  })

  test('looks one channel further ahead with an even size', () => {
    const x = floats([1, 3], [1, 2, 3])
    const attributes = { size: 2, alpha: 2, beta: 1, bias: 0 }
    expect(rounded(runOperator('LRN', [x], attributes)[0])).toEqual(
      [1 / 5, 2 / 13, 1 / 3].map((it) => Math.round(it * 1e6) / 1e6),
    )
    expect(faultKind('LRN', [x], { ...attributes, size: 0 })).toBe('mismatch')
    expect(faultKind('LRN', [ramp([3])], attributes)).toBe('mismatch')
  })
})

describe('LpNormalization', () => {
  const x = floats([2, 2], [3, 0, -4, 0])

  test('divides by the norm, where there is one', () => {
    expect(rounded(runOperator('LpNormalization', [x], { axis: 0 })[0])).toEqual([0.6, 0, -0.8, 0])
    expect(rounded(runOperator('LpNormalization', [x], { p: 1 })[0])).toEqual([1, 0, -1, 0])
    expect(faultKind('LpNormalization', [x], { p: 3 })).toBe('unsupported')
    expect(faultKind('LpNormalization', [x], { axis: -3 })).toBe('mismatch')
  })
})

test('MeanVarianceNormalization goes over its axes', () => {
  const x = floats([2, 2, 1, 1], [1, 10, 3, 30])
  expect(rounded(runOperator('MeanVarianceNormalization', [x])[0])).toEqual([-1, -1, 1, 1])
  expect(rounded(runOperator('MeanVarianceNormalization', [x], { axes: [-3] })[0])).toEqual([-1, 1, -1, 1])
  expect(faultKind('MeanVarianceNormalization', [ramp([2, 2])])).toBe('mismatch')
})

test('Det of a stack of matrices', () => {
  expect(rounded(runOperator('Det', [floats([2, 2, 2], [1, 2, 3, 4, 0, 1, 1, 0])])[0])).toEqual([-2, -1])
  expect(rounded(runOperator('Det', [floats([3, 3], [2, 0, 1, 0, 3, 0, 1, 0, 1])])[0])).toEqual([3])
  expect(rounded(runOperator('Det', [floats([2, 2], [1, 2, 2, 4])])[0])).toEqual([0])
  expect(rounded(runOperator('Det', [ramp([0, 0])])[0])).toEqual([1])
  const holed = floats([2, 2, 2], [0, 1, Number.NaN, 1, Number.NaN, 0, 0, 1])
  expect(rounded(runOperator('Det', [holed])[0])).toEqual([Number.NaN, Number.NaN])
  expect(faultKind('Det', [ramp([2, 3])])).toBe('mismatch')
})
