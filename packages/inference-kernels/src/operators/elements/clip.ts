// SPDX-License-Identifier: Apache-2.0
import { defineOperator, type OperandType } from '../operator.ts'
import { numericDtypes, requireDtype, required, requireSameDtype, result } from '../support.ts'
import { elementsOf, requireSingle, writable } from './elements.ts'

function checkBound(bound: OperandType | null | undefined, x: OperandType, what: string): void {
  if (bound == null) return
  requireSameDtype(x.dtype, bound.dtype)
  requireSingle(bound, what)
}

/** Elements held between two bounds, each of which may be left out. The upper one wins where they cross; NaN stays. */
export const clip = defineOperator({
  name: 'Clip',
  inputCount: [1, 3],
  infer({ inputs }) {
    const x = required(inputs, 0)
    requireDtype(x.dtype, numericDtypes)
    checkBound(inputs[1], x, 'the lower bound')
    checkBound(inputs[2], x, 'the upper bound')
    return [result(x.dtype, x.dims)]
  },
  run({ inputs: [x, min, max], outputs }) {
    const out = writable(outputs)
    out.set(elementsOf(required([x ?? null], 0)))
    if (min != null) {
      const least = elementsOf(min)[0] as number
      for (let i = 0; i < out.length; i++) if ((out[i] as number) < least) out[i] = least
    }
    if (max != null) {
      const most = elementsOf(max)[0] as number
      for (let i = 0; i < out.length; i++) if ((out[i] as number) > most) out[i] = most
    }
  },
})
