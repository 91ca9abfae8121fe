// SPDX-License-Identifier: Apache-2.0
import { ints } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator } from '../operator.ts'
import { required, result, rowMajorStrides, showDims } from '../support.ts'
import { copyBox } from './copy-box.ts'

/** The axes in their new order; an empty list turns the order around. */
function permutationOf(perm: readonly number[], rank: number): readonly number[] {
  const order = Array.from({ length: rank }, (_, d) => d)
  if (perm.length === 0) return order.reverse()
  if (perm.length !== rank || order.some((axis) => !perm.includes(axis))) {
    mismatch(`${showDims(perm)} is not a permutation of ${rank} axes`)
  }
  return perm
}

/** Dimension i of the result is dimension `perm[i]` of the input. */
export const transpose = defineOperator({
  name: 'Transpose',
  inputCount: [1, 1],
  attributes: { perm: ints() },
  infer({ inputs, attributes: { perm } }) {
    const { dtype, dims } = required(inputs, 0)
    return [
      result(
        dtype,
        permutationOf(perm, dims.length).map((axis) => dims[axis] as number),
      ),
    ]
  },
  run({ inputs, outputs, attributes: { perm } }) {
    const x = required(inputs, 0)
    const y = required(outputs, 0)
    const strides = rowMajorStrides(x.dims)
    const reads = permutationOf(perm, x.dims.length).map((axis) => strides[axis] as number)
    copyBox(
      y.dims,
      { data: x.data, start: 0, strides: reads },
      { data: y.data, start: 0, strides: rowMajorStrides(y.dims) },
    )
  },
})
