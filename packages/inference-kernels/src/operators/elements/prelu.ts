// SPDX-License-Identifier: Apache-2.0
import { mismatch } from '../fault.ts'
import { defineOperator } from '../operator.ts'
import {
  broadcastAll,
  numericDtypes,
  requireDtype,
  required,
  requireSameDtype,
  result,
  showDims,
} from '../support.ts'
import { big, combineElements } from './binary.ts'
import { kindFor } from './elements.ts'

const kinds = {
  float: (x: number, slope: number) => (x < 0 ? slope * x : x),
  integer: (x: number, slope: number) => (x < 0 ? Math.imul(slope, x) : x),
  bigint: big((x, slope) => (x < 0n ? slope * x : x)),
}

/** Negative elements times a slope that is broadcast to them. */
export const prelu = defineOperator({
  name: 'PRelu',
  inputCount: [2, 2],
  infer({ inputs }) {
    const x = required(inputs, 0)
    const slope = required(inputs, 1)
    requireSameDtype(x.dtype, slope.dtype)
    requireDtype(x.dtype, numericDtypes)
    const dims = broadcastAll([x.dims, slope.dims])
    if (dims.length !== x.dims.length || dims.some((dim, axis) => dim !== x.dims[axis]))
      mismatch(`slope ${showDims(slope.dims)} does not go with ${showDims(x.dims)}`)
    return [result(x.dtype, x.dims)]
  },
  run({ inputs, outputs }) {
    const x = required(inputs, 0)
    combineElements(required(outputs, 0), x, required(inputs, 1), kindFor(kinds, x.dtype))
  },
})
