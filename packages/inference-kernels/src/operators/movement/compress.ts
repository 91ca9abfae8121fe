// SPDX-License-Identifier: Apache-2.0
import { int } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator, type OperandType } from '../operator.ts'
import { normalAxis, product, requireDtype, required, result } from '../support.ts'

/** Indices along the axis for which the condition holds; null where that is not known yet. */
function chosenOf(inputs: readonly (OperandType | null)[], size: number): Int32Array | null {
  const condition = required(inputs, 1)
  requireDtype(condition.dtype, ['bool'])
  if (condition.dims.length !== 1 || product(condition.dims) > size) {
    mismatch(`the condition is a list of at most ${size}`)
  }
  const { data } = condition
  if (data === null) return null
  let count = 0
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) count++
  const chosen = new Int32Array(count)
  for (let i = 0, n = 0; i < data.length; i++) if (data[i] !== 0) chosen[n++] = i
  return chosen
}

/** The slices along an axis for which the condition, a list that may be shorter than the axis, holds. */
export const compress = defineOperator({
  name: 'Compress',
  inputCount: [2, 2],
  attributes: { axis: int(0) },
  contents: [1],
  infer({ inputs, attributes }) {
    const { dtype, dims } = required(inputs, 0)
    const axis = normalAxis(attributes.axis, dims.length)
    const out: (number | null)[] = [...dims]
    out[axis] = chosenOf(inputs, dims[axis] as number)?.length ?? null
    return [result(dtype, out)]
  },
  run({ inputs, outputs, attributes }) {
    const { data, dims } = required(inputs, 0)
    const axis = normalAxis(attributes.axis, dims.length)
    const size = dims[axis] as number
    const chosen = chosenOf(inputs, size) ?? mismatch('the elements of an input are missing')
    const outer = product(dims.slice(0, axis))
    const inner = product(dims.slice(axis + 1))
    const source = data as Float32Array
    const target = required(outputs, 0).data as Float32Array
    let to = 0
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < chosen.length; i++, to += inner) {
        const from = (o * size + (chosen[i] as number)) * inner
        target.set(source.subarray(from, from + inner), to)
      }
    }
  },
})
