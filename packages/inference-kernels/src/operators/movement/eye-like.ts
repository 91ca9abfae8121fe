// SPDX-License-Identifier: Apache-2.0
import { int, oneOf } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator } from '../operator.ts'
import { computedDtypes, isBigInt, required, result } from '../support.ts'

/** A matrix of the input's dims, 1 on the diagonal `k` above the main one, else 0. `dtype` is a name here. */
export const eyeLike = defineOperator({
  name: 'EyeLike',
  inputCount: [1, 1],
  attributes: { k: int(0), dtype: oneOf(computedDtypes) },
  isTypesOnly: true,
  infer({ inputs, attributes: { dtype } }) {
    const { dims } = required(inputs, 0)
    if (dims.length !== 2) mismatch(`a matrix is expected, not rank ${dims.length}`)
    return [result(dtype, dims)]
  },
  run({ outputs, attributes: { k } }) {
    const { data, dims, dtype } = required(outputs, 0)
    const [rows, columns] = dims as [number, number]
    const [zero, one] = (isBigInt(dtype) ? [0n, 1n] : [0, 1]) as [number, number]
    const out = data as Float32Array
    out.fill(zero)
    for (let i = Math.max(0, -k); i < Math.min(rows, columns - k); i++) out[i * columns + i + k] = one
  },
})
