// SPDX-License-Identifier: Apache-2.0
import { ints } from '../attributes.ts'
import { badValue, mismatch } from '../fault.ts'
import { defineOperator, type Operand } from '../operator.ts'
import { knownNumbers, requireDtype, required, result, showDims } from '../support.ts'
import { padsOf, perAxis, spatialDims } from './axes.ts'

/**
 * Puts maxima back where MaxPool found them, among zeros. Inputs: x, the places in the whole result, and optionally its dims,
 * where those that pool to x are not the least that do.
 */
export const maxUnpool = defineOperator({
  name: 'MaxUnpool',
  inputCount: [2, 3],
  contents: [2],
  attributes: { kernel_shape: ints(), strides: ints(), pads: ints() },
  infer({ inputs, attributes }) {
    const x = required(inputs, 0)
    const places = required(inputs, 1)
    const asked = inputs[2] ?? null
    requireDtype(x.dtype, ['float32'])
    requireDtype(places.dtype, ['int64'])
    const spatial = spatialDims(x.dims)
    const rank = spatial.length
    if (places.dims.length !== x.dims.length || places.dims.some((dim, d) => dim !== x.dims[d]))
      mismatch(`places have shape ${showDims(places.dims)}, elements ${showDims(x.dims)}`)
    if (attributes.kernel_shape.length !== rank)
      mismatch(`kernel_shape is ${showDims(attributes.kernel_shape)}`)
    const kernel = perAxis(attributes.kernel_shape, rank, 'kernel_shape')
    const strides = perAxis(attributes.strides, rank, 'strides')
    const { before, after } = padsOf(attributes.pads, rank)
    if (asked !== null) {
      requireDtype(asked.dtype, ['int64'])
      if (asked.dims.length !== 1 || asked.dims[0] !== rank + 2)
        mismatch(`the dims of the result have shape ${showDims(asked.dims)}`)
      const known = knownNumbers(asked)
      if (known?.some((dim) => dim < 0)) badValue('a dimension is negative')
      return [result(x.dtype, known ?? new Array<null>(rank + 2).fill(null))]
    }
    const sizes = spatial.map((count, d) => {
      const padding = (before[d] as number) + (after[d] as number)
      return (count - 1) * (strides[d] as number) + (kernel[d] as number) - padding
    })
    if (sizes.some((size) => size < 0)) mismatch(`the result would have spatial dims ${showDims(sizes)}`)
    return [result(x.dtype, [...x.dims.slice(0, 2), ...sizes])]
  },
  run({ inputs, outputs }) {
    const from = required(inputs, 0).data as Float32Array
    const places = required(inputs, 1).data as BigInt64Array
    const to = (outputs[0] as Operand).data as Float32Array
    to.fill(0)
    for (let i = 0; i < from.length; i++) {
      const place = Number(places[i])
      if (!(place >= 0 && place < to.length)) badValue('a place is not in the result')
      to[place] = from[i] as number
    }
  },
})
