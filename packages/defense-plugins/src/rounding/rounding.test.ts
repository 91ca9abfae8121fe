// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classRow, scores } from '../../test-support/tensors.ts'
import { argmax } from '../class-rows.ts'
import { assertDefenseContract, runDefense } from '../testing/index.ts'
import { rounding } from './rounding.ts'

function round(values: readonly number[], decimals: number): number[] {
  const { outputs } = runDefense(rounding, { decimals }, { inputs: [], outputs: [classRow(values)] })
  return Array.from(outputs?.[0]?.data as Float32Array)
}

describe('rounding', () => {
  test('rounds half away from zero', () => {
    expect(round([0.125, -0.125, 0.5, 2.375], 2)).toEqual([0.13, -0.13, 0.5, 2.38].map(Math.fround))
    expect(round([1.5, 0.5, -0.5], 0)).toEqual([2, 1, -1])
  })

  test('keeps the top class on top when rounding ties it with an earlier one', () => {
    expect(round([0.4521, 0.4524, 0.095], 3)).toEqual([0.452, 0.453, 0.095].map(Math.fround))
    expect(round([0.3, 0.4, 0.3], 0)).toEqual([0, 1, 0])
  })

  test('leaves numbers that are too large to have decimals', () => {
    expect(round([3e30, 1], 6)).toEqual([Math.fround(3e30), 1])
  })

  test('never changes the top class, and moves no score by more than 1.5 units of the last digit', () => {
    fc.assert(
      fc.property(scores, fc.integer({ min: 0, max: 6 }), (values, decimals) => {
        const before = classRow(values).data as Float32Array
        const after = Float32Array.from(round(values, decimals))
        expect(argmax(after)).toBe(argmax(before))
        after.forEach((value, index) => {
          expect(Math.abs(value - (before[index] as number))).toBeLessThanOrEqual(
            1.5 * 10 ** -decimals + 1e-6,
          )
        })
      }),
    )
  })

  test('keeps the contract', () => {
    assertDefenseContract(rounding, { decimals: 3 }, [
      { inputs: [classRow([1, 2])], outputs: [classRow([0.1, 0.9])] },
      {
        inputs: [],
        outputs: [{ dtype: 'float32', shape: [2, 2], data: Float32Array.of(0.1, 0.9, 0.7, 0.3) }],
      },
      { inputs: [], outputs: [{ dtype: 'float32', shape: [0, 3], data: new Float32Array(0) }] },
    ])
  })

  test.each([
    [{}, 'rounding.decimals'],
    [{ decimals: 7 }, 'rounding.decimals'],
    [{ decimals: 1.5 }, 'rounding.decimals'],
    [{ decimals: 3, extra: 1 }, 'rounding'],
  ])('refuses the configuration %j', (config, field) => {
    expect(() => runDefense(rounding, config, { inputs: [], outputs: [] })).toThrow(
      expect.objectContaining({ code: 'DEFENSE_CONFIG_INVALID', field }),
    )
  })

  test('refuses an output that is not float32', () => {
    const labels = { dtype: 'int64', shape: [1], data: BigInt64Array.of(3n) } as const
    expect(() => runDefense(rounding, { decimals: 2 }, { inputs: [], outputs: [labels] })).toThrow(
      expect.objectContaining({ code: 'DEFENSE_OUTPUT_UNSUPPORTED' }),
    )
  })
})
