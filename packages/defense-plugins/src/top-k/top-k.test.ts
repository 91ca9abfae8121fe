// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classRow, scores } from '../../test-support/tensors.ts'
import { argmax } from '../class-rows.ts'
import { assertDefenseContract, runDefense } from '../testing/index.ts'
import { topK } from './top-k.ts'

function keep(values: readonly number[], config: unknown): number[] {
  const { outputs } = runDefense(topK, config, { inputs: [], outputs: [classRow(values)] })
  return Array.from(outputs?.[0]?.data as Float32Array)
}

describe('top-k', () => {
  test('keeps the largest scores and zeroes the rest', () => {
    expect(keep([0.25, 0.5, 0.125, 0.0625], { k: 2 })).toEqual([0.25, 0.5, 0, 0])
  })

  test('of equal scores keeps the first', () => {
    expect(keep([0.25, 0.25, 0.25], { k: 1 })).toEqual([0.25, 0, 0])
  })

  test('renormalizes what is kept when asked to', () => {
    expect(keep([0.5, 0.25, 0.125], { k: 2, renormalize: true })).toEqual([2 / 3, 1 / 3, 0].map(Math.fround))
  })

  test('works row by row', () => {
    const outputs = [
      { dtype: 'float32', shape: [2, 2], data: Float32Array.of(0.1, 0.9, 0.75, 0.25) } as const,
    ]
    const result = runDefense(topK, { k: 1 }, { inputs: [], outputs })
    expect(Array.from(result.outputs?.[0]?.data as Float32Array)).toEqual([0, Math.fround(0.9), 0.75, 0])
  })

  test('at most k scores stay, unchanged, and the top class with them', () => {
    fc.assert(
      fc.property(scores, fc.integer({ min: 1, max: 14 }), (values, k) => {
        const before = classRow(values).data as Float32Array
        const after = Float32Array.from(keep(values, { k }))
        expect(after.filter((value) => value !== 0).length).toBeLessThanOrEqual(k)
        expect(after[argmax(before)]).toBe(before[argmax(before)])
        after.forEach((value, index) => {
          if (value !== 0) expect(value).toBe(before[index])
        })
      }),
    )
  })

  test('of scores that are not probabilities the top class stays on top', () => {
    expect(keep([-3, -1, -2], { k: 1 })).toEqual([-3, -1, -3])
    expect(keep([-3, 0, -2], { k: 1 })).toEqual([-1, 0, -1])
    expect(keep([-3, 4, -2], { k: 2 })).toEqual([-5, 4, -2])
    expect(keep([-3, 4, 2], { k: 2 })).toEqual([0, 4, 2])
    const logits = fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(logits, fc.integer({ min: 1, max: 14 }), (values, k) => {
        const before = classRow(values).data as Float32Array
        const after = Float32Array.from(keep(values, { k }))
        expect(argmax(after)).toBe(argmax(before))
        const kept = Array.from(before).sort((a, b) => b - a)
        expect(
          Array.from(after)
            .sort((a, b) => b - a)
            .slice(0, k),
        ).toEqual(kept.slice(0, k))
      }),
    )
  })

  test('keeps the contract', () => {
    assertDefenseContract(topK, { k: 2, renormalize: true }, [
      { inputs: [], outputs: [classRow([0.1, 0.9, 0]), classRow([0, 0, 0])] },
    ])
  })

  test.each([[{ k: 0 }], [{ k: 1.5 }], [{}], [{ k: 1, renormalize: 'yes' }]])('refuses %j', (config) => {
    expect(() => keep([1], config)).toThrow(expect.objectContaining({ code: 'DEFENSE_CONFIG_INVALID' }))
  })
})
