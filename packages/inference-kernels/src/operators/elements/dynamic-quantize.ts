// SPDX-License-Identifier: Apache-2.0
import { defineOperator } from '../operator.ts'
import { requireDtype, required, result } from '../support.ts'
import { elementsOf, writable } from './elements.ts'
import { quantized } from './quantize.ts'

/** Quantizes to uint8 by the range of the elements, with 0 in it: the integers, their scale and their zero point. */
export const dynamicQuantizeLinear = defineOperator({
  name: 'DynamicQuantizeLinear',
  inputCount: [1, 1],
  outputCount: [1, 3],
  infer({ inputs }) {
    const { dtype, dims } = required(inputs, 0)
    requireDtype(dtype, ['float32'])
    return [result('uint8', dims), result('float32', []), result('uint8', [])]
  },
  run({ inputs, outputs }) {
    const x = elementsOf(required(inputs, 0))
    let least = 0
    let most = 0
    for (let i = 0; i < x.length; i++) {
      const value = x[i] as number
      if (value < least) least = value
      if (value > most) most = value
    }
    // Zeros alone have no range; any scale represents them.
    const scale = least === most ? 1 : Math.fround(Math.fround(most - least) / 255)
    const zeroPoint = quantized(-least, scale, 0, 0, 255)
    const out = writable(outputs)
    for (let i = 0; i < x.length; i++) out[i] = quantized(x[i] as number, scale, zeroPoint, 0, 255)
    if (outputs.length > 1) writable(outputs, 1)[0] = scale
    if (outputs.length > 2) writable(outputs, 2)[0] = zeroPoint
  },
})
