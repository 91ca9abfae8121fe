// SPDX-License-Identifier: Apache-2.0
import { defineOperator } from '../operator.ts'
import { broadcastAll, computedDtypes, requireDtype, required, requireSameDtype, result } from '../support.ts'
import { elementsOf, writable } from './elements.ts'
import { eachBroadcastRow, type Row } from './rows.ts'

function chooseRow(
  out: Float32Array,
  at: number,
  operands: readonly [condition: Float32Array, x: Float32Array, y: Float32Array],
  places: readonly number[],
  { count, steps }: Row,
): void {
  const [condition, x, y] = operands
  let [c, i, j] = places as [number, number, number]
  const [cStep, xStep, yStep] = steps as [number, number, number]
  for (let n = 0; n < count; n++) {
    out[at + n] = (condition[c] === 0 ? y[j] : x[i]) as number
    c += cStep
    i += xStep
    j += yStep
  }
}

/** Elements of the second operand where the condition holds, of the third elsewhere; all three broadcast together. */
export const where = defineOperator({
  name: 'Where',
  inputCount: [3, 3],
  infer({ inputs }) {
    const condition = required(inputs, 0)
    const x = required(inputs, 1)
    const y = required(inputs, 2)
    requireDtype(condition.dtype, ['bool'])
    requireSameDtype(x.dtype, y.dtype)
    requireDtype(x.dtype, computedDtypes)
    return [result(x.dtype, broadcastAll([condition.dims, x.dims, y.dims]))]
  },
  run({ inputs, outputs }) {
    const operands = [required(inputs, 0), required(inputs, 1), required(inputs, 2)] as const
    const [condition, x, y] = operands
    const data = [elementsOf(condition), elementsOf(x), elementsOf(y)] as const
    const out = writable(outputs)
    eachBroadcastRow(required(outputs, 0).dims, operands, (at, places, row) =>
      chooseRow(out, at, data, places, row),
    )
  },
})
