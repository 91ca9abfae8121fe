// SPDX-License-Identifier: Apache-2.0
import { int } from '../attributes.ts'
import { badValue, mismatch } from '../fault.ts'
import { defineOperator, type OperandType } from '../operator.ts'
import { normalAxis, numericDtypes, product, requireDtype, required, result } from '../support.ts'

/** How many classes there are; null where that is not known yet. */
function depthOf(inputs: readonly (OperandType | null)[]): number | null {
  const { dtype, dims, data } = required(inputs, 1)
  requireDtype(dtype, numericDtypes)
  if (product(dims) !== 1) mismatch('depth is a scalar')
  if (data === null) return null
  const depth = Math.trunc(Number(data[0]))
  if (!Number.isSafeInteger(depth) || depth < 0) badValue('the depth is not a size')
  return depth
}

/**
 * For each index a vector along a new axis, with the second element of `values` (input 2) at the index and the first
 * elsewhere. Negative indices count from the end; those out of range give no second element.
 */
export const oneHot = defineOperator({
  name: 'OneHot',
  inputCount: [3, 3],
  attributes: { axis: int(-1) },
  contents: [1],
  infer({ inputs, attributes }) {
    const indices = required(inputs, 0)
    const values = required(inputs, 2)
    requireDtype(indices.dtype, numericDtypes)
    if (product(values.dims) !== 2) mismatch('values are two: off and on')
    const axis = normalAxis(attributes.axis, indices.dims.length + 1)
    const out: (number | null)[] = [...indices.dims]
    out.splice(axis, 0, depthOf(inputs))
    return [result(values.dtype, out)]
  },
  run({ inputs, outputs, attributes }) {
    const indices = required(inputs, 0)
    const [off, on] = required(inputs, 2).data as Float32Array
    const { data, dims } = required(outputs, 0)
    const out = data as Float32Array
    const axis = normalAxis(attributes.axis, dims.length)
    const depth = dims[axis] as number
    const inner = product(dims.slice(axis + 1))
    out.fill(off as number)
    for (let n = 0; n < indices.data.length; n++) {
      const given = Math.trunc(Number(indices.data[n]))
      const index = given < 0 ? given + depth : given
      if (!(index >= 0 && index < depth)) continue
      out[(Math.floor(n / inner) * depth + index) * inner + (n % inner)] = on as number
    }
  },
})
