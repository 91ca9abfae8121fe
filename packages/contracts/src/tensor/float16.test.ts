// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { float16Value } from './float16.ts'

test.each([
  [0x0000, 0],
  [0x8000, -0],
  [0x3c00, 1],
  [0xc248, -3.140625],
  [0x7bff, 65_504],
  [0x0001, 2 ** -24],
  [0x83ff, -1023 * 2 ** -24],
  [0x0400, 2 ** -14],
  [0x7c00, Number.POSITIVE_INFINITY],
  [0xfc00, Number.NEGATIVE_INFINITY],
  [0x7e00, Number.NaN],
])('the bits %i of half precision are %d', (bits, value) => {
  expect(float16Value(bits)).toBe(value)
})
