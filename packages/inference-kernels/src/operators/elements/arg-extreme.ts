// SPDX-License-Identifier: Apache-2.0
import { flag, int } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator, type Operator } from '../operator.ts'
import { normalAxis, numericDtypes, requireDtype, required, result } from '../support.ts'
import { axisBox } from './axis-box.ts'
import { elementsOf } from './elements.ts'
import { reducedDims } from './reduction-shape.ts'

/** Index of the extreme among `count` elements, `step` apart. As in NumPy, the first NaN counts as extreme. */
function indexOfExtreme(
  x: Float32Array,
  first: number,
  step: number,
  count: number,
  isMax: boolean,
  isLast: boolean,
): number {
  let best = 0
  let extreme = x[first] as number
  for (let i = 0; i < count; i++) {
    const value = x[first + i * step] as number
    if (Number.isNaN(value)) return i
    if ((isMax ? value > extreme : value < extreme) || (isLast && value === extreme)) {
      best = i
      extreme = value
    }
  }
  return best
}

const defineArgExtreme = (name: string, isMax: boolean): Operator =>
  defineOperator({
    name,
    inputCount: [1, 1],
    attributes: { axis: int(0), keepdims: flag(true), select_last_index: flag(false) },
    infer({ inputs, attributes: { axis, keepdims } }) {
      const { dtype, dims } = required(inputs, 0)
      requireDtype(dtype, numericDtypes)
      const along = normalAxis(axis, dims.length)
      const out = reducedDims(dims, [along], keepdims)
      if (dims[along] === 0 && !out.includes(0)) mismatch('there is no extreme among no elements')
      return [result('int64', out)]
    },
    run({ inputs, outputs, attributes: { axis, select_last_index } }) {
      const x = required(inputs, 0)
      const indices = required(outputs, 0).data as BigInt64Array
      const { outerCount, axisCount, innerCount } = axisBox(x.dims, normalAxis(axis, x.dims.length))
      if (axisCount === 0) return
      for (let outer = 0; outer < outerCount; outer++) {
        for (let inner = 0; inner < innerCount; inner++) {
          const first = outer * axisCount * innerCount + inner
          const at = indexOfExtreme(elementsOf(x), first, innerCount, axisCount, isMax, select_last_index)
          indices[outer * innerCount + inner] = BigInt(at)
        }
      }
    },
  })

/** Index of the greatest or least element along an axis: of equal ones the first, unless `select_last_index`. */
export const argExtremeOperators: readonly Operator[] = [
  defineArgExtreme('ArgMax', true),
  defineArgExtreme('ArgMin', false),
]
