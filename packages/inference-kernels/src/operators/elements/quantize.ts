// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { int, oneOf } from '../attributes.ts'
import { defineOperator } from '../operator.ts'
import { requireDtype, required, result } from '../support.ts'
import { elementsOf, roundHalfEven, writable } from './elements.ts'
import { rangeOf } from './integer-range.ts'
import { checkScales, eachScaleRun, planScales } from './quantization-scales.ts'

export const quantizedDtypes = ['uint8', 'int8', 'uint16', 'int16'] as const

/** A float32 quotient rounded, moved by the zero point and held within a dtype. NaN becomes 0 when it is stored. */
export function quantized(x: number, scale: number, zeroPoint: number, least: number, most: number): number {
  const value = roundHalfEven(Math.fround(x / scale)) + zeroPoint
  return value < least ? least : value > most ? most : value
}

/** Numbers as integers: divided by their scale, rounded, and moved by their zero point. */
export const quantizeLinear = defineOperator({
  name: 'QuantizeLinear',
  inputCount: [2, 3],
  // `output_dtype` names the dtype where there is no zero point that has one.
  attributes: { axis: int(1), block_size: int(0), output_dtype: oneOf(quantizedDtypes) },
  infer({ inputs, attributes }) {
    const x = required(inputs, 0)
    const scale = required(inputs, 1)
    const zeroPoint = inputs[2] ?? null
    requireDtype(x.dtype, ['float32', 'int32'])
    checkScales(scale, zeroPoint)
    planScales(x, scale, attributes)
    const dtype: DType = zeroPoint?.dtype ?? attributes.output_dtype
    requireDtype(dtype, quantizedDtypes)
    return [result(dtype, x.dims)]
  },
  run({ inputs, outputs, attributes }) {
    const x = required(inputs, 0)
    const scale = required(inputs, 1)
    const out = writable(outputs)
    const [least, most] = rangeOf(required(outputs, 0).dtype) as [number, number]
    const scales = elementsOf(scale)
    const zeroPoints = inputs[2] == null ? null : elementsOf(inputs[2])
    const elements = elementsOf(x)
    eachScaleRun(planScales(x, scale, attributes), (at, count, scaleAt, scaleStep) => {
      for (let n = 0, s = scaleAt; n < count; n++, s += scaleStep) {
        const zeroPoint = zeroPoints === null ? 0 : (zeroPoints[s] as number)
        out[at + n] = quantized(elements[at + n] as number, scales[s] as number, zeroPoint, least, most)
      }
    })
  },
})
