// SPDX-License-Identifier: Apache-2.0
import { badValue, mismatch } from '../fault.ts'
import { defineOperator, type OperandType } from '../operator.ts'
import { numericDtypes, product, requireDtype, required, requireSameDtype, result } from '../support.ts'

type Scalar = number | bigint

function countOf(start: Scalar, limit: Scalar, delta: Scalar): number {
  if (Number(delta) === 0) badValue('the step of a range is 0')
  if (typeof start === 'bigint') {
    const [span, step] = [(limit as bigint) - start, delta as bigint]
    const isShort = span !== 0n && span % step !== 0n
    return span > 0n === step > 0n ? Math.max(0, Number(span / step) + (isShort ? 1 : 0)) : 0
  }
  const count = Math.ceil(((limit as number) - start) / (delta as number))
  if (!Number.isFinite(count)) badValue('a range has no end')
  return Math.max(0, count)
}

/** Start, limit and step; null where they are not known yet. */
function scalarsOf(inputs: readonly (OperandType | null)[]): readonly [Scalar, Scalar, Scalar] | null {
  const operands = [0, 1, 2].map((index) => required(inputs, index))
  for (const { dtype, dims } of operands) {
    requireDtype(dtype, numericDtypes)
    requireSameDtype((operands[0] as OperandType).dtype, dtype)
    if (product(dims) !== 1) mismatch('start, limit and delta of a range are scalars')
  }
  const scalars = operands.map(({ data }) => data?.[0])
  return scalars.includes(undefined) ? null : (scalars as [Scalar, Scalar, Scalar])
}

/** Numbers from `start` to, not including, `limit`, `delta` apart. */
export const range = defineOperator({
  name: 'Range',
  inputCount: [3, 3],
  contents: [0, 1, 2],
  infer({ inputs }) {
    const scalars = scalarsOf(inputs)
    return [result(required(inputs, 0).dtype, [scalars === null ? null : countOf(...scalars)])]
  },
  run({ inputs, outputs }) {
    const [start, , delta] = scalarsOf(inputs) ?? mismatch('the elements of an input are missing')
    const { data } = required(outputs, 0)
    if (typeof start === 'bigint') {
      let value = start
      for (let i = 0; i < data.length; i++, value += delta as bigint) (data as BigInt64Array)[i] = value
    } else {
      for (let i = 0; i < data.length; i++) (data as Float32Array)[i] = start + i * (delta as number)
    }
  },
})
