// SPDX-License-Identifier: Apache-2.0
import type { TensorSpec } from '@mlcapsule/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ProviderError } from '../errors.ts'
import { parseCalibration } from './calibration.ts'
import { randomSamples } from './random-samples.ts'

const inputs: readonly TensorSpec[] = [
  { name: 'x', dtype: 'float32', shape: ['n', 2] },
  { name: 'ids', dtype: 'int64', shape: [3] },
]
const query = { x: { shape: [1, 2], data: [0.5, -1] }, ids: { shape: [3], data: [1, 2, 3] } }
const invalid = expect.objectContaining({ code: 'PROVIDER_CALIBRATION_INVALID' })

test('a query alone and a list of queries are read, each input in its own dtype', () => {
  const [alone] = parseCalibration(JSON.stringify(query), inputs)
  expect(alone?.get('x')).toEqual({ dtype: 'float32', shape: [1, 2], data: Float32Array.of(0.5, -1) })
  expect(alone?.get('ids')?.data).toEqual(BigInt64Array.of(1n, 2n, 3n))
  expect(parseCalibration(JSON.stringify([query, query]), inputs)).toHaveLength(2)
})

test('tensors may be nested arrays, and one input may stand alone', () => {
  const [first] = parseCalibration(JSON.stringify([{ x: [[0.5, -1]], ids: [1, 2, 3] }]), inputs)
  expect(first).toEqual(parseCalibration(JSON.stringify(query), inputs)[0])
  const one = inputs.slice(0, 1)
  const expected = first?.get('x')
  for (const json of [[[0.5, -1]], query.x, [query.x], { x: [[0.5, -1]] }]) {
    expect(parseCalibration(JSON.stringify(json), one).map((it) => it.get('x'))).toEqual([expected])
  }
})

test.each([
  '',
  JSON.stringify({ x: [[1, 2], [3]], ids: [1, 2, 3] }),
  JSON.stringify({ x: [[1, [2]]], ids: [1, 2, 3] }),
  JSON.stringify({ x: JSON.parse('['.repeat(50) + ']'.repeat(50)), ids: [1, 2, 3] }),
  JSON.stringify({ x: 1, ids: [1, 2, 3] }),
  'null',
  '[]',
  '[[1, 2]]',
  JSON.stringify({ x: query.x }),
  JSON.stringify({ ...query, y: query.x }),
  JSON.stringify({ ...query, x: { shape: [3], data: [1] } }),
  JSON.stringify({ ...query, x: { shape: [-1], data: [] } }),
  JSON.stringify({ ...query, x: { shape: [1, 2], data: ['1', '2'] } }),
])('%s is refused with a code', (text) => {
  expect(() => parseCalibration(text, inputs)).toThrow(invalid)
})

test('any JSON is read or refused with a code', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      try {
        parseCalibration(text, inputs)
      } catch (error) {
        expect(error).toBeInstanceOf(ProviderError)
      }
    }),
  )
})

test('random queries are the same each time', () => {
  const samples = randomSamples(inputs, 4, 5)
  expect(samples).toEqual(randomSamples(inputs, 4, 5))
  expect(samples[0]?.get('x')?.shape).toEqual([5, 2])
  expect(samples[0]).not.toEqual(samples[1])
  for (const sample of samples) {
    for (const id of sample.get('ids')?.data ?? []) expect([0n, 1n]).toContain(id)
  }
})
