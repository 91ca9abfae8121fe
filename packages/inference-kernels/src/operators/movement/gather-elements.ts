// SPDX-License-Identifier: Apache-2.0
import { int } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator, type OperandType } from '../operator.ts'
import { normalAxis, requireDtype, required, result, rowMajorStrides, showDims, walk } from '../support.ts'
import { indexDtypes, normalIndex } from './gather.ts'

/** Indices along an axis go with data of the same rank, no smaller along any other axis. */
export function requireElementIndices(data: OperandType, indices: OperandType, axis: number): void {
  requireDtype(indices.dtype, indexDtypes)
  const isInside =
    indices.dims.length === data.dims.length &&
    indices.dims.every((dim, d) => d === axis || dim <= (data.dims[d] as number))
  if (!isInside) mismatch(`indices ${showDims(indices.dims)} do not go with ${showDims(data.dims)}`)
}

/** The element that each index names along an axis, at its own place along the others. */
export const gatherElements = defineOperator({
  name: 'GatherElements',
  inputCount: [2, 2],
  attributes: { axis: int(0) },
  infer({ inputs, attributes }) {
    const x = required(inputs, 0)
    const indices = required(inputs, 1)
    requireElementIndices(x, indices, normalAxis(attributes.axis, x.dims.length))
    return [result(x.dtype, indices.dims)]
  },
  run({ inputs, outputs, attributes }) {
    const x = required(inputs, 0)
    const { data: indices, dims } = required(inputs, 1)
    const axis = normalAxis(attributes.axis, x.dims.length)
    const size = x.dims[axis] as number
    const strides = rowMajorStrides(x.dims)
    const stride = strides[axis] as number
    const source = x.data as Float32Array
    const target = required(outputs, 0).data as Float32Array
    walk(dims, [strides.with(axis, 0)], (at, places) => {
      const place = (places[0] as number) + normalIndex(Number(indices[at]), size) * stride
      target[at] = source[place] as number
    })
  },
})
