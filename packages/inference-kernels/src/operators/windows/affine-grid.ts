// SPDX-License-Identifier: Apache-2.0
import { flag } from '../attributes.ts'
import { badValue, mismatch } from '../fault.ts'
import { defineOperator, type Operand } from '../operator.ts'
import { knownNumbers, requireDtype, required, requireSameDtype, result, showDims } from '../support.ts'

/** Places of the elements of a dimension between -1 and 1: at both borders, or in the middles of equal parts. */
function places(count: number, isAligned: boolean): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    if (!isAligned) return (2 * i + 1) / count - 1
    return count === 1 ? 0 : (2 * i) / (count - 1) - 1
  })
}

/** The grid that GridSample takes, of affine maps. Inputs: theta [N, 2, 3] or [N, 3, 4]; size, the dims of the image. */
export const affineGrid = defineOperator({
  name: 'AffineGrid',
  inputCount: [2, 2],
  contents: [1],
  attributes: { align_corners: flag(false) },
  infer({ inputs }) {
    const theta = required(inputs, 0)
    const size = required(inputs, 1)
    requireDtype(theta.dtype, ['float32'])
    requireSameDtype('int64', size.dtype)
    const rank = (size.dims[0] ?? 0) - 2
    if (size.dims.length !== 1 || (rank !== 2 && rank !== 3))
      mismatch(`size has shape ${showDims(size.dims)}`)
    const [batch, rows, columns] = theta.dims
    if (theta.dims.length !== 3 || rows !== rank || columns !== rank + 1)
      mismatch(`theta has shape ${showDims(theta.dims)} for ${rank} spatial dimensions`)
    const known = knownNumbers(size)
    if (known === null)
      return [result('float32', [batch as number, ...new Array<null>(rank).fill(null), rank])]
    if (known.some((dim) => dim < 0)) badValue('a size is negative')
    if (known[0] !== batch) mismatch(`size and theta ${showDims(theta.dims)} have other numbers of images`)
    return [result('float32', [batch as number, ...known.slice(2), rank])]
  },
  run({ inputs, outputs, attributes }) {
    const theta = required(inputs, 0).data as Float32Array
    const { dims, data } = outputs[0] as Operand
    const to = data as Float32Array
    const [batch, ...spatial] = dims.slice(0, -1) as [number, ...number[]]
    if (to.length === 0) return
    const rank = spatial.length
    const axes = spatial.map((count) => places(count, attributes.align_corners))
    const [zs, ys, xs] = [...new Array(3 - rank).fill(Float64Array.of(0)), ...axes] as [
      Float64Array,
      Float64Array,
      Float64Array,
    ]
    let at = 0
    for (let n = 0; n < batch; n++) {
      const own = theta.subarray(n * rank * (rank + 1), (n + 1) * rank * (rank + 1))
      for (const z of zs) {
        for (const y of ys) {
          for (const x of xs) {
            for (let r = 0, k = 0; r < rank; r++, k += rank + 1) {
              const depth = rank === 3 ? (own[k + 2] as number) * z : 0
              to[at++] =
                (own[k] as number) * x + (own[k + 1] as number) * y + depth + (own[k + rank] as number)
            }
          }
        }
      }
    }
  },
})
