// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classRow, scores } from '../../test-support/tensors.ts'
import { argmax } from '../class-rows.ts'
import { assertDefenseContract, runDefense } from '../testing/index.ts'
import { labelOnly } from './label-only.ts'

describe('label-only', () => {
  test('gives one for the top class of each row and zero for the others', () => {
    const outputs = [
      { dtype: 'float32', shape: [2, 3], data: Float32Array.of(0.1, 0.7, 0.2, 0.5, 0.5, 0) } as const,
    ]
    const result = runDefense(labelOnly, {}, { inputs: [], outputs })
    expect(Array.from(result.outputs?.[0]?.data as Float32Array)).toEqual([0, 1, 0, 1, 0, 0])
  })

  test('classes may be followed by dimensions of size 1', () => {
    const outputs = [{ dtype: 'float32', shape: [1, 3, 1, 1], data: Float32Array.of(0.1, 0.7, 0.2) } as const]
    const result = runDefense(labelOnly, {}, { inputs: [], outputs })
    expect(Array.from(result.outputs?.[0]?.data as Float32Array)).toEqual([0, 1, 0])
  })

  test('tells nothing but the top class', () => {
    fc.assert(
      fc.property(scores, (values) => {
        const row = classRow(values)
        const result = runDefense(labelOnly, {}, { inputs: [], outputs: [row] })
        const expected = values.map((_, index) => (index === argmax(row.data as Float32Array) ? 1 : 0))
        expect(Array.from(result.outputs?.[0]?.data as Float32Array)).toEqual(expected)
      }),
    )
  })

  test('a row without a comparable score gives no label', () => {
    const result = runDefense(labelOnly, {}, { inputs: [], outputs: [classRow([Number.NaN, Number.NaN])] })
    expect(Array.from(result.outputs?.[0]?.data as Float32Array)).toEqual([0, 0])
  })

  test('keeps the contract', () => {
    assertDefenseContract(labelOnly, {}, [{ inputs: [], outputs: [classRow([0.2, 0.8])] }])
  })

  test('takes no settings', () => {
    expect(() => runDefense(labelOnly, { k: 1 }, { inputs: [], outputs: [] })).toThrow(
      expect.objectContaining({ code: 'DEFENSE_CONFIG_INVALID', field: 'label-only' }),
    )
  })
})
