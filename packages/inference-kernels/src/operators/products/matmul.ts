// SPDX-License-Identifier: Apache-2.0
import { defineOperator, type Operand } from '../operator.ts'
import { isBigInt, numericDtypes, requireDtype, required, requireSameDtype, result } from '../support.ts'
import { multiply } from './multiply.ts'
import { multiplyNarrow, multiplyWide } from './multiply-integers.ts'
import { forEachPair, pairStacks } from './stacks.ts'

/** A product of two stacks of matrices, as NumPy's matmul. Integers wrap. */
export const matMul = defineOperator({
  name: 'MatMul',
  inputCount: [2, 2],
  infer({ inputs }) {
    const a = required(inputs, 0)
    const b = required(inputs, 1)
    requireDtype(a.dtype, numericDtypes)
    requireSameDtype(a.dtype, b.dtype)
    return [result(a.dtype, pairStacks(a.dims, b.dims).dims)]
  },
  run({ inputs, outputs }) {
    const a = required(inputs, 0)
    const b = required(inputs, 1)
    const out = outputs[0] as Operand
    const pairs = pairStacks(a.dims, b.dims)
    const { sizes } = pairs
    const [rows, inner, columns] = sizes
    const multiplyIntegers = isBigInt(a.dtype) ? multiplyWide : multiplyNarrow
    forEachPair(pairs, (i, j, o) => {
      const aAt = i * rows * inner
      const bAt = j * inner * columns
      const outAt = o * rows * columns
      if (a.dtype !== 'float32') {
        multiplyIntegers({ a: a.data, aAt, b: b.data, bAt, out: out.data, outAt, sizes })
        return
      }
      multiply(
        { data: a.data as Float32Array, at: aAt, row: inner, column: 1 },
        { data: b.data as Float32Array, at: bAt, row: columns, column: 1 },
        { data: out.data as Float32Array, at: outAt, row: columns },
        sizes,
      )
    })
  },
})
