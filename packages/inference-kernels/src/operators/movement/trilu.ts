// SPDX-License-Identifier: Apache-2.0
import { flag } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator } from '../operator.ts'
import { isBigInt, product, requireDtype, required, result } from '../support.ts'

/** The upper or lower triangle of matrices, from the diagonal on that the second input counts from the main one; 0 elsewhere. */
export const trilu = defineOperator({
  name: 'Trilu',
  inputCount: [1, 2],
  attributes: { upper: flag(true) },
  infer({ inputs }) {
    const { dtype, dims } = required(inputs, 0)
    if (dims.length < 2) mismatch(`matrices are expected, not rank ${dims.length}`)
    const k = inputs[1] ?? null
    if (k !== null) {
      requireDtype(k.dtype, ['int64', 'int32'])
      if (product(k.dims) !== 1) mismatch('k is a scalar')
    }
    return [result(dtype, dims)]
  },
  run({ inputs, outputs, attributes: { upper } }) {
    const { data, dims, dtype } = required(inputs, 0)
    const k = Number(inputs[1]?.data[0] ?? 0)
    const [rows, columns] = dims.slice(-2) as [number, number]
    const zero = (isBigInt(dtype) ? 0n : 0) as number
    const out = required(outputs, 0).data as Float32Array
    out.set(data as Float32Array)
    const rowCount = product(dims.slice(0, -1))
    for (let row = 0; row < rowCount; row++) {
      const start = row * columns
      const diagonal = Math.min(Math.max((row % rows) + k + (upper ? 0 : 1), 0), columns)
      if (upper) out.fill(zero, start, start + diagonal)
      else out.fill(zero, start + diagonal, start + columns)
    }
  },
})
