// SPDX-License-Identifier: Apache-2.0
import { mismatch } from '../fault.ts'
import { defineOperator, type Operand } from '../operator.ts'
import { product, requireDtype, required, result, showDims } from '../support.ts'

/** Determinants of a stack of square matrices. */
export const det = defineOperator({
  name: 'Det',
  inputCount: [1, 1],
  infer({ inputs }) {
    const { dtype, dims } = required(inputs, 0)
    requireDtype(dtype, ['float32'])
    if (dims.length < 2 || dims.at(-1) !== dims.at(-2)) mismatch(`${showDims(dims)} are no square matrices`)
    return [result(dtype, dims.slice(0, -2))]
  },
  run({ inputs, outputs }) {
    const { data, dims } = required(inputs, 0)
    const size = dims.at(-1) as number
    const count = product(dims.slice(0, -2))
    const out = (outputs[0] as Operand).data as Float32Array
    for (let i = 0; i < count; i++) {
      out[i] = determinant(
        Float64Array.from((data as Float32Array).subarray(i * size * size, (i + 1) * size * size)),
        size,
      )
    }
  },
})

/** Gaussian elimination with partial pivoting; NaN where an element is; `m` is used up. */
function determinant(m: Float64Array, size: number): number {
  let value = 1
  for (let column = 0; column < size; column++) {
    let pivot = column
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(m[row * size + column] as number) > Math.abs(m[pivot * size + column] as number))
        pivot = row
    }
    const top = m[pivot * size + column] as number
    if (top === 0) return m.some(Number.isNaN) ? Number.NaN : 0
    if (pivot !== column) {
      value = -value
      const kept = m.slice(column * size, (column + 1) * size)
      m.copyWithin(column * size, pivot * size, (pivot + 1) * size)
      m.set(kept, pivot * size)
    }
    value *= top
    for (let row = column + 1; row < size; row++) {
      const factor = (m[row * size + column] as number) / top
      for (let j = column; j < size; j++) {
        m[row * size + j] = (m[row * size + j] as number) - factor * (m[column * size + j] as number)
      }
    }
  }
  return value
}
