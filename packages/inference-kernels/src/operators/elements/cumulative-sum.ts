// SPDX-License-Identifier: Apache-2.0
import { type DType, viewTensorData } from '@mlcapsule/contracts'
import { flag } from '../attributes.ts'
import { defineOperator } from '../operator.ts'
import { normalAxis, numbersOf, numericDtypes, requireDtype, required, result } from '../support.ts'
import { axisBox } from './axis-box.ts'
import { elementsOf, requireSingle, writable } from './elements.ts'

/** One element that sums up: in double precision, or wrapped as the dtype is. */
function newTotal(dtype: DType): Float32Array {
  if (dtype === 'float32') return new Float64Array(1) as unknown as Float32Array
  return viewTensorData(dtype, new ArrayBuffer(8), 0, 1) as Float32Array
}

/** Running sums along the axis that the second input names. */
export const cumSum = defineOperator({
  name: 'CumSum',
  inputCount: [2, 2],
  attributes: { exclusive: flag(false), reverse: flag(false) },
  infer({ inputs }) {
    const x = required(inputs, 0)
    const axis = required(inputs, 1)
    requireDtype(x.dtype, numericDtypes)
    requireDtype(axis.dtype, ['int64', 'int32'])
    requireSingle(axis, 'the axis')
    return [result(x.dtype, x.dims)]
  },
  run({ inputs, outputs, attributes: { exclusive, reverse } }) {
    const { data, dtype, dims } = required(inputs, 0)
    const out = writable(outputs)
    const [axis = 0] = numbersOf(required(inputs, 1).data)
    const { outerCount, axisCount, innerCount } = axisBox(dims, normalAxis(axis, dims.length))
    const x = elementsOf({ data, dtype, dims })
    const total = newTotal(dtype)
    const zero = total[0] as number
    for (let outer = 0; outer < outerCount; outer++) {
      for (let inner = 0; inner < innerCount; inner++) {
        total[0] = zero
        for (let i = 0; i < axisCount; i++) {
          const along = reverse ? axisCount - 1 - i : i
          const at = (outer * axisCount + along) * innerCount + inner
          if (exclusive) out[at] = total[0] as number
          total[0] = (total[0] as number) + (x[at] as number)
          if (!exclusive) out[at] = total[0] as number
        }
      }
    }
  },
})
