// SPDX-License-Identifier: Apache-2.0
import { flag } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator } from '../operator.ts'
import { product, required, result, showDims } from '../support.ts'
import { requiredList } from './lists.ts'

/** Dims asked for by a Reshape: 0 keeps a dimension unless `allowzero`, one -1 takes what is left. */
function reshaped(dims: readonly number[], asked: readonly number[], allowzero: boolean): number[] {
  const out = asked.map((dim, d) => {
    if (dim !== 0 || allowzero) return dim
    return dims[d] ?? mismatch(`dimension ${d} of ${showDims(dims)} is to be kept, and does not exist`)
  })
  const open = out.indexOf(-1)
  const rest = product(out.filter((dim) => dim !== -1))
  const count = product(dims)
  // Next to a dimension of 0 any size would do: that is NaN, and refused.
  if (open >= 0) out[open] = count / rest
  if (out.some((dim) => !Number.isInteger(dim) || dim < 0) || product(out) !== count) {
    mismatch(`${showDims(dims)} cannot become ${showDims(asked)}`)
  }
  return out
}

/** The same elements under the dims that the second input lists. */
export const reshape = defineOperator({
  name: 'Reshape',
  inputCount: [2, 2],
  attributes: { allowzero: flag(false) },
  contents: [1],
  isAlias: true,
  infer({ inputs, attributes: { allowzero } }) {
    const x = required(inputs, 0)
    const { count, values: asked } = requiredList(inputs, 1)
    const dims = asked === null ? new Array<null>(count).fill(null) : reshaped(x.dims, asked, allowzero)
    return [result(x.dtype, dims)]
  },
  run: () => {},
})
