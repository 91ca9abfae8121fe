// SPDX-License-Identifier: Apache-2.0
import { int } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator } from '../operator.ts'
import { normalAxis, required, requireSameDtype, result, rowMajorStrides, showDims } from '../support.ts'
import { copyBox } from './copy-box.ts'

/** Tensors one after another along an axis. */
export const concat = defineOperator({
  name: 'Concat',
  inputCount: [1, 1024],
  attributes: { axis: int(0) },
  infer({ inputs, attributes }) {
    const first = required(inputs, 0)
    const axis = normalAxis(attributes.axis, first.dims.length)
    let size = 0
    for (let i = 0; i < inputs.length; i++) {
      const { dtype, dims } = required(inputs, i)
      requireSameDtype(first.dtype, dtype)
      if (dims.length !== first.dims.length || dims.some((dim, d) => d !== axis && dim !== first.dims[d])) {
        mismatch(`${showDims(dims)} does not go with ${showDims(first.dims)} along axis ${axis}`)
      }
      size += dims[axis] as number
    }
    return [result(first.dtype, first.dims.with(axis, size))]
  },
  run({ inputs, outputs, attributes }) {
    const y = required(outputs, 0)
    const axis = normalAxis(attributes.axis, y.dims.length)
    const writes = rowMajorStrides(y.dims)
    let start = 0
    for (let i = 0; i < inputs.length; i++) {
      const { dims, data } = required(inputs, i)
      copyBox(
        dims,
        { data, start: 0, strides: rowMajorStrides(dims) },
        { data: y.data, start, strides: writes },
      )
      start += (dims[axis] as number) * (writes[axis] as number)
    }
  },
})
