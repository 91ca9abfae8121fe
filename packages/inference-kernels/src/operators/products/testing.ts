// SPDX-License-Identifier: Apache-2.0
import type { Tensor } from '@mlcapsule/contracts'

export const floats = (shape: readonly number[], values: readonly number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(values),
})

/** Float elements that differ from place to place: 0.5, -1, 1.5, -2, … */
export const ramp = (shape: readonly number[]): Tensor => {
  const count = shape.reduce((all, dim) => all * dim, 1)
  return floats(
    shape,
    Array.from({ length: count }, (_, i) => ((i % 7) + 1) * (i % 2 === 0 ? 0.5 : -0.5)),
  )
}

/** Elements of a tensor as numbers, rounded to 6 digits after the point. */
export const rounded = (tensor: Tensor | undefined): number[] =>
  Array.from(
    (tensor as Tensor).data as ArrayLike<number | bigint>,
    (it) => Math.round(Number(it) * 1e6) / 1e6,
  )
