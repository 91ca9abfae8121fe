// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { programLimits } from '../../program/limits.ts'
import { defineOperator, type Operator } from '../operator.ts'
import { broadcastAll, numericDtypes, requireDtype, required, requireSameDtype, result } from '../support.ts'
import { big, type Combine, combineElements } from './binary.ts'
import { elementsOf, kindFor, type NumberKinds } from './elements.ts'

/** Combines any number of operands, broadcast together, from first to last. */
function defineVariadic(
  name: string,
  dtypes: readonly DType[],
  kinds: NumberKinds<Combine>,
  finish?: (elements: Float32Array, operandCount: number) => void,
): Operator {
  return defineOperator({
    name,
    inputCount: [1, programLimits.operandCount],
    infer({ inputs }) {
      const operands = inputs.map((_, i) => required(inputs, i))
      const { dtype } = required(operands, 0)
      requireDtype(dtype, dtypes)
      for (const it of operands) requireSameDtype(dtype, it.dtype)
      return [result(dtype, broadcastAll(operands.map(({ dims }) => dims)))]
    },
    run({ inputs, outputs }) {
      const out = required(outputs, 0)
      const combine = kindFor(kinds, out.dtype)
      const first = required(inputs, 0)
      combineElements(out, first, first, (x) => x)
      for (let i = 1; i < inputs.length; i++) combineElements(out, out, required(inputs, i), combine)
      finish?.(elementsOf(out), inputs.length)
    },
  })
}

const sum = {
  float: (x, y) => x + y,
  integer: (x, y) => x + y,
  bigint: big((x, y) => x + y),
} satisfies NumberKinds<Combine>

export const variadicOperators: readonly Operator[] = [
  defineVariadic('Min', numericDtypes, {
    float: Math.min,
    integer: Math.min,
    bigint: big((x, y) => (y < x ? y : x)),
  }),
  defineVariadic('Max', numericDtypes, {
    float: Math.max,
    integer: Math.max,
    bigint: big((x, y) => (y > x ? y : x)),
  }),
  defineVariadic('Sum', numericDtypes, sum),
  defineVariadic('Mean', ['float32'], sum, (elements, operandCount) => {
    for (let i = 0; i < elements.length; i++) elements[i] = (elements[i] as number) / operandCount
  }),
]
