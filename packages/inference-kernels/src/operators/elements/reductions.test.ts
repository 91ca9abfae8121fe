// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { completeAttributes } from '../operator.ts'
import { operatorOf } from '../registry.ts'
import { elementsOfResult, floats, list, outcome, tensor } from './testing.ts'

const fault = (kind: string) => expect.objectContaining({ kind })
const axes = (...values: readonly number[]) => list('int64', values.map(BigInt))
const x = floats([2, 3, 2], [1, 2, 3, 4, 5, 6, -7, 8, -9, 10, -11, 12])

describe('axes', () => {
  test.each([
    [[0], [-6, 10, -6, 14, -6, 18]],
    [[1], [9, 12, -27, 30]],
    [[-1], [3, 7, 11, 1, 1, 1]],
    [
      [0, 2],
      [4, 8, 12],
    ],
    [
      [1, 2],
      [21, 3],
    ],
    [[2, 0, 1], [24]],
    [[], [24]],
  ])('%o', (list, expected) => {
    expect(elementsOfResult('ReduceSum', [x, axes(...list)])).toEqual(expected)
  })

  test('are kept as 1 or taken out', () => {
    expect(outcome('ReduceSum', [x, axes(0, 2)]).shape).toEqual([1, 3, 1])
    expect(outcome('ReduceSum', [x, axes(0, 2)], { keepdims: false }).shape).toEqual([3])
    expect(outcome('ReduceSum', [x], { keepdims: false })).toEqual({
      dtype: 'float32',
      shape: [],
      elements: [24],
    })
    expect(outcome('ReduceSum', [floats([], [5])])).toEqual({ dtype: 'float32', shape: [], elements: [5] })
  })

  test('none with noop_with_empty_axes', () => {
    expect(outcome('ReduceMax', [x, axes()], { noop_with_empty_axes: true }).elements).toEqual([...x.data])
    expect(outcome('ReduceLogSumExp', [x], { noop_with_empty_axes: true }).shape).toEqual([2, 3, 2])
    expect(() => outcome('ReduceL2', [x], { noop_with_empty_axes: true })).toThrowError(fault('unsupported'))
  })

  test('refuses axes out of range, twice, or not a list', () => {
    expect(() => outcome('ReduceSum', [x, axes(3)])).toThrowError(fault('mismatch'))
    expect(() => outcome('ReduceSum', [x, axes(-4)])).toThrowError(fault('mismatch'))
    expect(() => outcome('ReduceSum', [x, axes(1, -2)])).toThrowError(fault('mismatch'))
    expect(() => outcome('ReduceSum', [x, tensor('int64', [], [1n])])).toThrowError(fault('mismatch'))
    expect(() => outcome('ReduceSum', [x, list('float32', [1])])).toThrowError(fault('unsupported'))
  })

  test('that are not known yet leave the dims open', () => {
    const operator = operatorOf('ReduceSum')
    const types = (keepdims: boolean, count: number) =>
      operator?.infer({
        inputs: [
          { dtype: 'float32', dims: [2, 3, 2], data: null },
          { dtype: 'int64', dims: [count], data: null },
        ],
        attributes: completeAttributes(operator, { keepdims }) as never,
        outputCount: 1,
      })[0]?.dims
    expect(types(true, 1)).toEqual([null, null, null])
    expect(types(false, 2)).toEqual([null])
    expect(types(false, 0)).toEqual([])
    expect(() => types(false, 4)).toThrowError(fault('mismatch'))
    expect(() => types(true, 4)).toThrowError(fault('mismatch'))
  })
})

test('every set of axes gives what adding one by one gives', () => {
  const dims = [2, 3, 2, 2]
  const data = Array.from({ length: 24 }, (_, i) => i * i - 40)
  for (let set = 1; set < 16; set++) {
    const chosen = dims.map((_, axis) => axis).filter((axis) => set & (1 << axis))
    const totals = new Map<string, number>()
    for (const [i, value] of data.entries()) {
      const index = [Math.floor(i / 12), Math.floor(i / 4) % 3, Math.floor(i / 2) % 2, i % 2]
      const key = index.map((at, axis) => (chosen.includes(axis) ? 0 : at)).join()
      totals.set(key, (totals.get(key) ?? 0) + value)
    }
    expect(elementsOfResult('ReduceSum', [floats(dims, data), axes(...chosen)])).toEqual([...totals.values()])
  }
})

describe('kinds', () => {
  const row = list('float32', [3, -4])
  test.each([
    ['ReduceSum', -1],
    ['ReduceMean', -0.5],
    ['ReduceMax', 3],
    ['ReduceMin', -4],
    ['ReduceProd', -12],
    ['ReduceL1', 7],
    ['ReduceL2', 5],
    ['ReduceSumSquare', 25],
    ['ReduceLogSumExp', Math.log(Math.exp(3) + Math.exp(-4))],
  ])('%s', (name, expected) => {
    expect(elementsOfResult(name, [row])).toEqual([Math.fround(expected)])
  })

  test('ReduceLogSum', () => {
    expect(elementsOfResult('ReduceLogSum', [list('float32', [1, 2])])).toEqual([Math.fround(Math.log(3))])
  })

  test('ReduceLogSumExp does not overflow, and takes infinities', () => {
    const infinity = Number.POSITIVE_INFINITY
    const rows = floats([4, 2], [1000, 1000, -infinity, -infinity, infinity, 1, Number.NaN, 1])
    expect(elementsOfResult('ReduceLogSumExp', [rows, axes(1)])).toEqual([
      Math.fround(1000 + Math.log(2)),
      -infinity,
      infinity,
      Number.NaN,
    ])
  })

  test.each([
    ['ReduceSum', 0],
    ['ReduceProd', 1],
    ['ReduceMax', Number.NEGATIVE_INFINITY],
    ['ReduceMin', Number.POSITIVE_INFINITY],
    ['ReduceL1', 0],
    ['ReduceL2', 0],
    ['ReduceSumSquare', 0],
    ['ReduceLogSum', Number.NEGATIVE_INFINITY],
    ['ReduceLogSumExp', Number.NEGATIVE_INFINITY],
    ['ReduceMean', Number.NaN],
  ])('%s of nothing', (name, expected) => {
    expect(outcome(name, [floats([2, 0], []), axes(1)])).toEqual({
      dtype: 'float32',
      shape: [2, 1],
      elements: [expected, expected],
    })
    expect(outcome(name, [floats([2, 0], []), axes(0)]).shape).toEqual([1, 0])
  })

  test('the extremes of no integers are those of the dtype', () => {
    expect(elementsOfResult('ReduceMax', [list('int8', [])])).toEqual([-128])
    expect(elementsOfResult('ReduceMin', [list('uint64', [])])).toEqual([2n ** 64n - 1n])
    expect(elementsOfResult('ReduceMax', [list('bool', [])])).toEqual([0])
    expect(elementsOfResult('ReduceMin', [list('bool', [])])).toEqual([1])
    expect(() => outcome('ReduceMean', [list('int64', [])])).toThrowError(fault('value'))
    expect(() => outcome('ReduceMean', [list('int32', [])])).toThrowError(fault('value'))
  })

  test('bools have extremes', () => {
    const bools = tensor('bool', [2, 2], [0, 1, 0, 0])
    expect(elementsOfResult('ReduceMax', [bools, axes(1)])).toEqual([1, 0])
    expect(elementsOfResult('ReduceMin', [bools, axes(1)])).toEqual([0, 0])
  })

  test('integers are exact and wrap', () => {
    expect(elementsOfResult('ReduceSum', [list('int32', [2 ** 31 - 1, 1])])).toEqual([-(2 ** 31)])
    expect(elementsOfResult('ReduceSum', [list('uint32', [2 ** 31, 2 ** 31 - 1])])).toEqual([2 ** 32 - 1])
    expect(elementsOfResult('ReduceSum', [list('int64', [2n ** 62n, 2n ** 62n + 1n])])).toEqual([
      -(2n ** 63n) + 1n,
    ])
    expect(elementsOfResult('ReduceProd', [list('int64', [3n ** 30n, 3n ** 30n])])).toEqual([
      BigInt.asIntN(64, 3n ** 60n),
    ])
    expect(elementsOfResult('ReduceSumSquare', [list('int32', [65_537])])).toEqual([131_073])
    expect(elementsOfResult('ReduceL1', [list('int64', [-3n, 4n])])).toEqual([7n])
    expect(elementsOfResult('ReduceL2', [list('int64', [-3n, 4n])])).toEqual([5n])
    expect(elementsOfResult('ReduceMean', [list('int64', [-3n, -4n])])).toEqual([-3n])
    expect(elementsOfResult('ReduceMean', [list('int64', [2n ** 62n, 2n ** 62n, 2n ** 62n])])).toEqual([
      2n ** 62n,
    ])
    expect(
      elementsOfResult('ReduceMean', [
        tensor('uint64', [2, 2], [2n ** 64n - 1n, 3n, 2n ** 64n - 3n, 5n]),
        axes(0),
      ]),
    ).toEqual([2n ** 64n - 2n, 4n])
    expect(elementsOfResult('ReduceMean', [list('int32', [2 ** 31 - 1, 2 ** 31 - 3])])).toEqual([2 ** 31 - 2])
    expect(elementsOfResult('ReduceMax', [list('int64', [2n ** 60n, 2n ** 60n + 1n])])).toEqual([
      2n ** 60n + 1n,
    ])
  })

  test('sums of float32 are rounded once', () => {
    expect(elementsOfResult('ReduceSum', [list('float32', [2 ** 24, 1, 1])])).toEqual([2 ** 24 + 2])
  })

  test('NaN goes through extremes', () => {
    expect(elementsOfResult('ReduceMax', [list('float32', [1, Number.NaN, 2])])).toEqual([Number.NaN])
  })
})
