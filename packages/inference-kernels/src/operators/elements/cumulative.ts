// SPDX-License-Identifier: Apache-2.0
import { type DType, viewTensorData } from '@mlcapsule/contracts'
import { flag } from '../attributes.ts'
import { defineOperator } from '../operator.ts'
import { isBigInt, normalAxis, numbersOf, numericDtypes, requireDtype, required, result } from '../support.ts'
import { axisBox } from './axis-box.ts'
import { elementsOf, requireSingle, writable } from './elements.ts'

/** One element that totals up: in double precision, or wrapped as the dtype is. */
function newTotal(dtype: DType): Float32Array {
  if (dtype === 'float32') return new Float64Array(1) as unknown as Float32Array
  return viewTensorData(dtype, new ArrayBuffer(8), 0, 1) as Float32Array
}

type Combine = (total: number, element: number) => number

/**
 * Running totals along the axis that the second input names.
 * @param start total of no elements
 * @param combineOf how a total and an element make the next total, BigInts for 64-bit integers
 */
const cumulative = (name: string, start: 0 | 1, combineOf: (dtype: DType) => Combine) =>
  defineOperator({
    name,
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
      const combine = combineOf(dtype)
      const total = newTotal(dtype)
      const first = (isBigInt(dtype) ? BigInt(start) : start) as number
      for (let outer = 0; outer < outerCount; outer++) {
        for (let inner = 0; inner < innerCount; inner++) {
          total[0] = first
          for (let i = 0; i < axisCount; i++) {
            const along = reverse ? axisCount - 1 - i : i
            const at = (outer * axisCount + along) * innerCount + inner
            if (exclusive) out[at] = total[0] as number
            total[0] = combine(total[0] as number, x[at] as number)
            if (!exclusive) out[at] = total[0] as number
          }
        }
      }
    },
  })

export const cumSum = cumulative('CumSum', 0, () => (total, element) => total + element)

// Products of 32-bit integers go beyond what doubles hold.
export const cumProd = cumulative('CumProd', 1, (dtype) =>
  dtype === 'float32' || isBigInt(dtype) ? (total, element) => total * element : Math.imul,
)
