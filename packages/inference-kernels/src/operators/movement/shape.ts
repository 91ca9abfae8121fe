// SPDX-License-Identifier: Apache-2.0
import { int } from '../attributes.ts'
import { defineOperator } from '../operator.ts'
import { product, required, result } from '../support.ts'

/** The dimensions `start` to `end` that ONNX's Shape gives: both may be negative, and are cut to the rank. */
function sliceOf(dims: readonly number[], start: number, end: number): readonly number[] {
  const cut = (index: number) => Math.min(Math.max(index < 0 ? index + dims.length : index, 0), dims.length)
  return dims.slice(cut(start), cut(end))
}

/** Dims of a tensor as int64, from dimension `start` up to, not including, `end`. */
export const shape = defineOperator({
  name: 'Shape',
  inputCount: [1, 1],
  attributes: { start: int(0), end: int(2 ** 31 - 1) },
  isTypesOnly: true,
  infer: ({ inputs, attributes: { start, end } }) => [
    result('int64', [sliceOf(required(inputs, 0).dims, start, end).length]),
  ],
  run({ inputs, outputs, attributes: { start, end } }) {
    const dims = sliceOf(required(inputs, 0).dims, start, end)
    const data = required(outputs, 0).data as BigInt64Array
    data.set(dims.map(BigInt))
  },
})

/** The number of elements of a tensor, an int64 scalar. */
export const size = defineOperator({
  name: 'Size',
  inputCount: [1, 1],
  isTypesOnly: true,
  infer: () => [result('int64', [])],
  run({ inputs, outputs }) {
    const data = required(outputs, 0).data as BigInt64Array
    data[0] = BigInt(product(required(inputs, 0).dims))
  },
})
