// SPDX-License-Identifier: Apache-2.0
import type { TensorSpec } from '@mlcapsule/contracts'
import { expect, test } from 'vitest'
import { checkInputs } from '../src/core/inputs.ts'

const mask: TensorSpec = { name: 'mask', dtype: 'bool', shape: ['batch', 3] }
const masks = (...elements: number[]) =>
  new Map([['mask', { dtype: 'bool', shape: [1, 3], data: Uint8Array.from(elements) } as const]])

test('truth is 0 or 1: any other byte would count as more than one', () => {
  expect(checkInputs(masks(0, 1, 1), [mask])).toMatchObject({ symbols: { batch: 1 }, itemCount: 1 })
  for (const byte of [2, 255]) {
    expect(() => checkInputs(masks(0, byte, 1), [mask])).toThrow(
      expect.objectContaining({ code: 'ENCLAVE_INPUT_INVALID', field: 'inputs[0].data', numbers: [0] }),
    )
  }
})
