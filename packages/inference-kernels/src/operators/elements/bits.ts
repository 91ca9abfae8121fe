// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { elementSizeBytes } from '@mlcapsule/contracts'
import { oneOf } from '../attributes.ts'
import { defineOperator, type Operator } from '../operator.ts'
import {
  broadcastAll,
  integerDtypes,
  isBigInt,
  requireDtype,
  required,
  requireSameDtype,
  result,
} from '../support.ts'
import { big, type Combine, combineElements, defineBinary } from './binary.ts'
import { defineUnary, type ElementFunction } from './unary.ts'

const bitwise = (name: string, integer: Combine, bigint: Combine) =>
  defineBinary({ name, dtypes: integerDtypes, apply: () => ({ float: integer, integer, bigint }) })

const not: ElementFunction = (x) => ~x

/** A shift by as many bits as there are, or more, leaves 0. */
function shiftOf(dtype: DType, isLeft: boolean): Combine {
  const bitCount = elementSizeBytes(dtype) * 8
  if (isBigInt(dtype)) {
    const limit = BigInt(bitCount)
    return big((x, y) => (y >= limit ? 0n : isLeft ? x << y : x >> y))
  }
  return (x, y) => (y >= bitCount ? 0 : isLeft ? x << y : x >>> y)
}

const bitShift = defineOperator({
  name: 'BitShift',
  inputCount: [2, 2],
  attributes: { direction: oneOf(['LEFT', 'RIGHT']) },
  infer({ inputs }) {
    const x = required(inputs, 0)
    const y = required(inputs, 1)
    requireSameDtype(x.dtype, y.dtype)
    requireDtype(x.dtype, ['uint64', 'uint32', 'uint16', 'uint8'])
    return [result(x.dtype, broadcastAll([x.dims, y.dims]))]
  },
  run({ inputs, outputs, attributes: { direction } }) {
    const x = required(inputs, 0)
    combineElements(required(outputs, 0), x, required(inputs, 1), shiftOf(x.dtype, direction === 'LEFT'))
  },
})

export const bitOperators: readonly Operator[] = [
  bitShift,
  bitwise(
    'BitwiseAnd',
    (x, y) => x & y,
    big((x, y) => x & y),
  ),
  bitwise(
    'BitwiseOr',
    (x, y) => x | y,
    big((x, y) => x | y),
  ),
  bitwise(
    'BitwiseXor',
    (x, y) => x ^ y,
    big((x, y) => x ^ y),
  ),
  defineUnary({
    name: 'BitwiseNot',
    dtypes: integerDtypes,
    apply: () => ({ float: not, integer: not, bigint: ((x: bigint) => ~x) as unknown as ElementFunction }),
  }),
]
