// SPDX-License-Identifier: Apache-2.0
import { mismatch } from '../fault.ts'
import { defineOperator } from '../operator.ts'
import { broadcastAll, repeatStrides, required, result, rowMajorStrides } from '../support.ts'
import { copyBox } from './copy-box.ts'
import { requiredList, requireSizes } from './lists.ts'

/** A tensor broadcast together with the dims that the second input lists. */
export const expand = defineOperator({
  name: 'Expand',
  inputCount: [2, 2],
  contents: [1],
  infer({ inputs }) {
    const { dtype, dims } = required(inputs, 0)
    const { count, values } = requiredList(inputs, 1)
    if (values !== null) return [result(dtype, broadcastAll([dims, requireSizes(values)]))]
    const rank = Math.max(dims.length, count)
    // A dimension other than 1 stays what it is, whatever is asked for.
    const out = Array.from({ length: rank }, (_, d) => {
      const dim = dims[d - (rank - dims.length)] ?? 1
      return dim !== 1 || d < rank - count ? dim : null
    })
    return [result(dtype, out)]
  },
  run({ inputs, outputs }) {
    const x = required(inputs, 0)
    const y = required(outputs, 0)
    copyBox(
      y.dims,
      { data: x.data, start: 0, strides: repeatStrides(x.dims, y.dims) },
      { data: y.data, start: 0, strides: rowMajorStrides(y.dims) },
    )
  },
})

/** A tensor repeated along each dimension as often as the second input says. */
export const tile = defineOperator({
  name: 'Tile',
  inputCount: [2, 2],
  contents: [1],
  infer({ inputs }) {
    const { dtype, dims } = required(inputs, 0)
    const { count, values } = requiredList(inputs, 1)
    if (count !== dims.length) mismatch(`${count} repeats of ${dims.length} dimensions`)
    if (values === null)
      return [
        result(
          dtype,
          dims.map(() => null),
        ),
      ]
    return [
      result(
        dtype,
        dims.map((dim, d) => dim * (requireSizes(values)[d] as number)),
      ),
    ]
  },
  run({ inputs, outputs }) {
    const x = required(inputs, 0)
    const y = required(outputs, 0)
    // Each dimension becomes two: the repeats, and what is repeated.
    const split = (dims: readonly number[], of: (dim: number, d: number) => readonly [number, number]) =>
      dims.flatMap((dim, d) => of(dim, d))
    const reads = rowMajorStrides(x.dims)
    const writes = rowMajorStrides(y.dims)
    copyBox(
      split(x.dims, (dim, d) => [dim === 0 ? 0 : (y.dims[d] as number) / dim, dim]),
      { data: x.data, start: 0, strides: split(reads, (stride) => [0, stride]) },
      {
        data: y.data,
        start: 0,
        strides: split(writes, (stride, d) => [stride * (x.dims[d] as number), stride]),
      },
    )
  },
})
