// SPDX-License-Identifier: Apache-2.0
import type { Tensor } from '@mlcapsule/contracts'
import { expect, test } from 'vitest'
import { faultKind, runOperator } from '../testing.ts'
import { floats, ramp } from './testing.ts'

const [a, b, c, d] = [1, 2, 3, 4]

/** The same contraction in int64, which goes term by term. */
const doubled = ({ shape, data }: Tensor): Tensor => ({
  dtype: 'int64',
  shape,
  data: BigInt64Array.from(Array.from(data as Float32Array, (it) => BigInt(2 * it))),
})

test('takes diagonals, sums and transposes one operand', () => {
  const x = floats([2, 2], [1, 2, 3, 4])
  expect(runOperator('Einsum', [x], { labels: [a, a], output: [a] })).toEqual([floats([2], [1, 4])])
  expect(runOperator('Einsum', [x], { labels: [a, a], output: [] })).toEqual([floats([], [5])])
  expect(runOperator('Einsum', [x], { labels: [a, b], output: [b, a] })).toEqual([
    floats([2, 2], [1, 3, 2, 4]),
  ])
  expect(runOperator('Einsum', [x], { labels: [a, b], output: [b] })).toEqual([floats([2], [4, 6])])
})

test.each([
  ['ab,bc->ac', [2, 3], [3, 2], [a, b, b, c], [a, c]],
  ['ab,cb->ca', [2, 3], [4, 3], [a, b, c, b], [c, a]],
  ['abc,acd->abd', [2, 3, 4], [2, 4, 5], [a, b, c, a, c, d], [a, b, d]],
  ['abc,bcd->ad', [2, 3, 4], [3, 4, 2], [a, b, c, b, c, d], [a, d]],
  ['abc,cbd->ad', [2, 3, 4], [4, 3, 2], [a, b, c, c, b, d], [a, d]],
  ['ab,ab->ab', [2, 3], [2, 3], [a, b, a, b], [a, b]],
  ['ab,ab->', [2, 3], [2, 3], [a, b, a, b], []],
  ['ab,cd->abcd', [2, 3], [2, 2], [a, b, c, d], [a, b, c, d]],
  ['aab,bc->ac', [2, 2, 3], [3, 2], [a, a, b, b, c], [a, c]],
  ['ab,c->ac', [2, 3], [2], [a, b, c], [a, c]],
  ['ab,bc->ac, repeated', [2, 1], [3, 2], [a, b, b, c], [a, c]],
])('%s: products over strides agree with sums of terms', (_, dimsX, dimsY, labels, output) => {
  const x = ramp(dimsX)
  const y = ramp(dimsY)
  const [product] = runOperator('Einsum', [x, y], { labels, output })
  const [terms] = runOperator('Einsum', [doubled(x), doubled(y)], { labels, output })
  expect(product?.shape).toEqual(terms?.shape)
  expect(Array.from(product?.data as Float32Array, (it) => 4 * it)).toEqual(
    Array.from(terms?.data as BigInt64Array, Number),
  )
})

test('multiplies more than two operands', () => {
  const x = floats([2, 2], [1, 2, 3, 4])
  const attributes = { labels: [a, b, b, c, c], output: [a] }
  expect(runOperator('Einsum', [x, x, floats([2], [1, -1])], attributes)).toEqual([floats([2], [-3, -7])])
})

test('of an empty sum is 0', () => {
  const attributes = { labels: [a, b, b, c], output: [a, c] }
  expect(runOperator('Einsum', [ramp([1, 0]), ramp([0, 2])], attributes)).toEqual([floats([1, 2], [0, 0])])
})

test('refuses labels that do not fit', () => {
  expect(faultKind('Einsum', [ramp([2, 3])], { labels: [a], output: [a] })).toBe('mismatch')
  expect(faultKind('Einsum', [ramp([2, 3])], { labels: [a, a], output: [a] })).toBe('mismatch')
  expect(faultKind('Einsum', [ramp([2])], { labels: [a], output: [b] })).toBe('mismatch')
  expect(faultKind('Einsum', [ramp([2])], { labels: [a], output: [a, a] })).toBe('mismatch')
})

test('refuses endless work', () => {
  const x = ramp([4096])
  expect(faultKind('Einsum', [x, x, x, x], { labels: [a, b, c, d], output: [] })).toBe('unsupported')
})
