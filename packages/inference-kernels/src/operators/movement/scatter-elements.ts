// SPDX-License-Identifier: Apache-2.0
import { int } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator } from '../operator.ts'
import { normalAxis, required, requireSameDtype, result, rowMajorStrides, walk } from '../support.ts'
import { normalIndex } from './gather.ts'
import { requireElementIndices } from './gather-elements.ts'
import { combineOf, scatterReduction } from './scatter-reduction.ts'

/** A copy of the data with each update written where its index says along an axis, at its own place along the others. */
export const scatterElements = defineOperator({
  name: 'ScatterElements',
  inputCount: [3, 3],
  attributes: { axis: int(0), reduction: scatterReduction },
  infer({ inputs, attributes }) {
    const data = required(inputs, 0)
    const indices = required(inputs, 1)
    const updates = required(inputs, 2)
    requireElementIndices(data, indices, normalAxis(attributes.axis, data.dims.length))
    requireSameDtype(data.dtype, updates.dtype)
    combineOf(attributes.reduction, data.dtype)
    if (
      updates.dims.length !== indices.dims.length ||
      updates.dims.some((dim, d) => dim !== indices.dims[d])
    ) {
      mismatch('updates and indices differ in shape')
    }
    return [result(data.dtype, data.dims)]
  },
  run({ inputs, outputs, attributes }) {
    const { data, dims } = required(inputs, 0)
    const { data: indices, dims: indexDims } = required(inputs, 1)
    const updates = required(inputs, 2).data as Float32Array
    const target = required(outputs, 0)
    const out = target.data as Float32Array
    out.set(data as Float32Array)
    const axis = normalAxis(attributes.axis, dims.length)
    const size = dims[axis] as number
    const strides = rowMajorStrides(dims)
    const stride = strides[axis] as number
    const combine = combineOf(attributes.reduction, target.dtype)
    walk(indexDims, [strides.with(axis, 0)], (at, places) => {
      const place = (places[0] as number) + normalIndex(Number(indices[at]), size) * stride
      out[place] = combine(out[place] as number, updates[at] as number)
    })
  },
})
