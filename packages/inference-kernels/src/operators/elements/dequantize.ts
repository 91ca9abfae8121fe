// SPDX-License-Identifier: Apache-2.0
import { int } from '../attributes.ts'
import { defineOperator } from '../operator.ts'
import { requireDtype, required, requireSameDtype, result } from '../support.ts'
import { elementsOf, writable } from './elements.ts'
import { checkScales, eachScaleRun, planScales } from './quantization-scales.ts'

/** The numbers that quantized integers stand for: their distance from the zero point times the scale. */
export const dequantizeLinear = defineOperator({
  name: 'DequantizeLinear',
  inputCount: [2, 3],
  attributes: { axis: int(1), block_size: int(0) },
  infer({ inputs, attributes }) {
    const x = required(inputs, 0)
    const scale = required(inputs, 1)
    const zeroPoint = inputs[2] ?? null
    requireDtype(x.dtype, ['uint8', 'int8', 'uint16', 'int16', 'int32'])
    if (zeroPoint !== null) requireSameDtype(zeroPoint.dtype, x.dtype)
    checkScales(scale, zeroPoint)
    planScales(x, scale, attributes)
    return [result('float32', x.dims)]
  },
  run({ inputs, outputs, attributes }) {
    const x = required(inputs, 0)
    const scale = required(inputs, 1)
    const out = writable(outputs)
    const scales = elementsOf(scale)
    const zeroPoints = inputs[2] == null ? null : elementsOf(inputs[2])
    const elements = elementsOf(x)
    eachScaleRun(planScales(x, scale, attributes), (at, count, scaleAt, scaleStep) => {
      for (let n = 0, s = scaleAt; n < count; n++, s += scaleStep) {
        const zeroPoint = zeroPoints === null ? 0 : (zeroPoints[s] as number)
        out[at + n] = ((elements[at + n] as number) - zeroPoint) * (scales[s] as number)
      }
    })
  },
})
