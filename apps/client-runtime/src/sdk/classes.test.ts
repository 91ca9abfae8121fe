// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { assertClassifier, classesOf, rankClasses } from './classes.ts'

describe('rankClasses', () => {
  test('puts the best first, among equals the lower index', () => {
    const ranked = rankClasses(Float32Array.of(0.25, 0.5, 0.25), ['a', 'b', 'c'])
    expect(ranked.map((it) => it.label)).toEqual(['b', 'a', 'c'])
    expect(ranked[0]).toEqual({ index: 1, label: 'b', score: 0.5, confidence: 0.5 })
  })

  test('takes a distribution as it is, also after rounding or top-k', () => {
    const rounded = rankClasses(Float64Array.of(0.34, 0.34, 0.33), null, 1)
    expect(rounded).toEqual([{ index: 0, label: '0', score: 0.34, confidence: 0.34 }])
    expect(rankClasses(Float64Array.of(0.6, 0, 0), null, 1)[0]?.confidence).toBe(0.6)
  })

  test('makes confidences of raw scores', () => {
    const [best, second] = rankClasses(Float64Array.of(1000, 1000 + Math.log(3)), null)
    expect(best?.index).toBe(1)
    expect(best?.confidence).toBeCloseTo(0.75, 9)
    expect(second?.confidence).toBeCloseTo(0.25, 9)
  })
})

test.each([
  ['[10]', 'float32', [10], true],
  ['[N, 10]', 'float32', ['N', 10], true],
  ['[1, 1000, 1, 1]', 'float64', [1, 1000, 1, 1], true],
  ['a scalar', 'float32', [], true],
  ['a feature map', 'float32', [1, 8, 8], false],
  ['[N, 10, 1, 1]', 'float32', ['N', 10, 1, 1], true],
  ['a map of named sizes', 'float32', ['N', 21, 'H', 'W'], false],
  ['a row per token', 'float32', ['N', 'T', 10], false],
  ['integers', 'int64', [1, 10], false],
] as const)('scores of %s', (_form, dtype, shape, isAccepted) => {
  const check = () => assertClassifier({ outputs: [{ name: 'out', dtype, shape }], labels: null })
  if (isAccepted) expect(check).not.toThrow()
  else expect(check).toThrow(expect.objectContaining({ code: 'CLIENT_OUTPUT_NOT_CLASSES' }))
})

test('a blocked query has no classes', () => {
  const signature = {
    outputs: [{ name: 'out', dtype: 'float32', shape: [1, 2] }],
    labels: ['a', 'b'],
  } as const
  const blocked = { verdict: 'block', outputs: new Map(), units: 1, unitsLeft: 3 } as const
  expect(classesOf(blocked, signature)).toEqual([])
  const outputs = new Map([
    ['out', { dtype: 'float32', shape: [1, 2], data: Float32Array.of(0.25, 0.75) } as const],
  ])
  const [best] = classesOf({ ...blocked, verdict: 'pass', outputs }, signature, 1) ?? []
  expect(best?.label).toBe('b')
})

test('answers to several items are not ranked as one', () => {
  const signature = {
    outputs: [{ name: 'out', dtype: 'float32', shape: ['N', 2] }],
    labels: ['a', 'b'],
  } as const
  const ranked = (data: Float32Array, shape: readonly number[]) =>
    classesOf(
      {
        verdict: 'pass',
        outputs: new Map([['out', { dtype: 'float32', shape, data }]]),
        units: 1,
        unitsLeft: 3,
      },
      signature,
    )
  expect(ranked(Float32Array.of(0.25, 0.75, 0.5, 0.5), [2, 2])).toBeUndefined()
  expect(ranked(Float32Array.of(0.25, 0.75), [1, 2])?.map((it) => it.label)).toEqual(['b', 'a'])
})
