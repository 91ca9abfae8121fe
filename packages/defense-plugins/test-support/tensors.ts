// SPDX-License-Identifier: Apache-2.0
import type { Tensor } from '@mlcapsule/contracts'
import fc from 'fast-check'

/** One row of class scores as a model gives it: shape [1, classCount]. */
export function classRow(values: readonly number[]): Tensor {
  return { dtype: 'float32', shape: [1, values.length], data: Float32Array.from(values) }
}

/** Rows of probabilities-like scores, many of them close to each other. */
export const scores: fc.Arbitrary<number[]> = fc.array(
  fc.oneof(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.integer({ min: 0, max: 20 }).map((step) => 0.05 + step * 1e-7),
  ),
  { minLength: 1, maxLength: 12 },
)
