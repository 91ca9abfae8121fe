// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { copyBytes, releaseMemory } from './bytes.ts'

test('copies, whatever kind of byte array it is given', () => {
  const pool = Buffer.from([9, 1, 2, 3, 9])
  for (const bytes of [pool.subarray(1, 4), Uint8Array.of(1, 2, 3)]) {
    const copy = copyBytes(bytes)
    bytes[0] = 7
    expect([...copy]).toEqual([1, 2, 3])
    expect(copy.byteOffset).toBe(0)
    expect(Object.getPrototypeOf(copy)).toBe(Uint8Array.prototype)
  }
})

test('copies a part', () => {
  expect([...copyBytes(Uint8Array.of(1, 2, 3, 4), 1, 3)]).toEqual([2, 3])
  expect([...copyBytes(Uint8Array.of(1, 2, 3, 4), 2)]).toEqual([3, 4])
  expect([...copyBytes(Uint8Array.of(1, 2), 5)]).toEqual([])
})

test('memory is released where a view has it all, and left alone where it may be shared', () => {
  const whole = Float32Array.of(1, 2)
  releaseMemory(whole)
  expect(whole.length).toBe(0)
  const part = Uint8Array.of(1, 2, 3).subarray(1)
  releaseMemory(part)
  expect([...part]).toEqual([2, 3])
  const shared = new Uint8Array(new SharedArrayBuffer(2))
  releaseMemory(shared)
  expect(shared.length).toBe(2)
})
