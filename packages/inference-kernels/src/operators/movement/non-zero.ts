// SPDX-License-Identifier: Apache-2.0
import { defineOperator } from '../operator.ts'
import { computedDtypes, requireDtype, required, result, rowMajorStrides } from '../support.ts'

/** Indices of the elements that are not zero, in their order: one row per dimension. A scalar counts as a vector of one. */
export const nonZero = defineOperator({
  name: 'NonZero',
  inputCount: [1, 1],
  contents: [0],
  infer({ inputs }) {
    const { dtype, dims, data } = required(inputs, 0)
    requireDtype(dtype, computedDtypes)
    let count = data === null ? null : 0
    if (data !== null)
      for (let i = 0; i < data.length; i++) if (Number(data[i]) !== 0) count = (count as number) + 1
    return [result('int64', [Math.max(1, dims.length), count])]
  },
  run({ inputs, outputs }) {
    const { data, dims: given } = required(inputs, 0)
    const out = required(outputs, 0)
    const indices = out.data as BigInt64Array
    const dims = given.length === 0 ? [1] : given
    const count = out.dims[1] as number
    const strides = rowMajorStrides(dims)
    let n = 0
    for (let i = 0; i < data.length; i++) {
      if (Number(data[i]) === 0) continue
      for (let d = 0; d < dims.length; d++) {
        indices[d * count + n] = BigInt(Math.floor(i / (strides[d] as number)) % (dims[d] as number))
      }
      n++
    }
  },
})
