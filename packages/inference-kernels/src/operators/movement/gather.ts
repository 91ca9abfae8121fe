// SPDX-License-Identifier: Apache-2.0
import { int } from '../attributes.ts'
import { badValue } from '../fault.ts'
import { defineOperator } from '../operator.ts'
import { normalAxis, product, requireDtype, required, result } from '../support.ts'

export const indexDtypes = ['int64', 'int32'] as const

/** An index in 0 … size-1; negative ones count from the end. */
export function normalIndex(index: number, size: number): number {
  const normal = index < 0 ? index + size : index
  if (!(normal >= 0 && normal < size)) badValue(`an index is out of range for a dimension of ${size}`)
  return normal
}

/** Slices along an axis, as the second input numbers them: rows of a table, for one. */
export const gather = defineOperator({
  name: 'Gather',
  inputCount: [2, 2],
  attributes: { axis: int(0) },
  infer({ inputs, attributes }) {
    const { dtype, dims } = required(inputs, 0)
    const indices = required(inputs, 1)
    requireDtype(indices.dtype, indexDtypes)
    const axis = normalAxis(attributes.axis, dims.length)
    return [result(dtype, [...dims.slice(0, axis), ...indices.dims, ...dims.slice(axis + 1)])]
  },
  run({ inputs, outputs, attributes }) {
    const x = required(inputs, 0)
    const axis = normalAxis(attributes.axis, x.dims.length)
    const size = x.dims[axis] as number
    const outer = product(x.dims.slice(0, axis))
    const inner = product(x.dims.slice(axis + 1))
    const given = required(inputs, 1).data
    const indices = new Int32Array(given.length)
    for (let i = 0; i < indices.length; i++) indices[i] = normalIndex(Number(given[i]), size)
    const source = x.data as Float32Array
    const target = required(outputs, 0).data as Float32Array
    let to = 0
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < indices.length; i++) {
        const from = (o * size + (indices[i] as number)) * inner
        if (inner >= 16) target.set(source.subarray(from, from + inner), to)
        else for (let k = 0; k < inner; k++) target[to + k] = source[from + k] as number
        to += inner
      }
    }
  },
})
