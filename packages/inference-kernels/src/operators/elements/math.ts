// SPDX-License-Identifier: Apache-2.0
import { erf as errorFunction } from '../../reference/erf.ts'
import { flag } from '../attributes.ts'
import type { Operator } from '../operator.ts'
import { numericDtypes } from '../support.ts'
import { roundHalfEven } from './elements.ts'
import { defineUnary, type ElementFunction } from './unary.ts'

const signedDtypes = ['float32', 'int64', 'int32', 'int16', 'int8'] as const
const big = (apply: (x: bigint) => bigint) => apply as unknown as ElementFunction
const float = (name: string, one: ElementFunction) => defineUnary({ name, apply: () => one })

const abs = defineUnary({
  name: 'Abs',
  dtypes: numericDtypes,
  apply: () => ({ float: Math.abs, integer: Math.abs, bigint: big((x) => (x < 0n ? -x : x)) }),
})

const neg = defineUnary({
  name: 'Neg',
  dtypes: signedDtypes,
  apply: () => ({ float: (x) => -x, integer: (x) => -x, bigint: big((x) => -x) }),
})

const sign = defineUnary({
  name: 'Sign',
  dtypes: numericDtypes,
  apply: () => ({
    float: Math.sign,
    integer: Math.sign,
    bigint: big((x) => (x > 0n ? 1n : x < 0n ? -1n : 0n)),
  }),
})

const notANumber = defineUnary({
  name: 'IsNaN',
  resultDtype: 'bool',
  apply: () => (x) => (Number.isNaN(x) ? 1 : 0),
})

const infinite = defineUnary({
  name: 'IsInf',
  resultDtype: 'bool',
  attributes: { detect_negative: flag(true), detect_positive: flag(true) },
  apply:
    ({ detect_negative, detect_positive }) =>
    (x) =>
      (detect_negative && x === Number.NEGATIVE_INFINITY) ||
      (detect_positive && x === Number.POSITIVE_INFINITY)
        ? 1
        : 0,
})

/** Mathematical functions of one element. */
export const mathOperators: readonly Operator[] = [
  abs,
  neg,
  sign,
  notANumber,
  infinite,
  float('Ceil', Math.ceil),
  float('Floor', Math.floor),
  float('Round', roundHalfEven),
  float('Sqrt', Math.sqrt),
  float('Exp', Math.exp),
  float('Log', Math.log),
  float('Reciprocal', (x) => 1 / x),
  float('Sin', Math.sin),
  float('Cos', Math.cos),
  float('Tan', Math.tan),
  float('Asin', Math.asin),
  float('Acos', Math.acos),
  float('Atan', Math.atan),
  float('Sinh', Math.sinh),
  float('Cosh', Math.cosh),
  float('Tanh', Math.tanh),
  float('Asinh', Math.asinh),
  float('Acosh', Math.acosh),
  float('Atanh', Math.atanh),
  float('Erf', errorFunction),
]
