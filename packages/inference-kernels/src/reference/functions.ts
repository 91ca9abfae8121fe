// SPDX-License-Identifier: Apache-2.0
import type { Activation, BinaryKind, UnaryKind } from '../program/types.ts'
import { erf } from './erf.ts'

/** A function of one element, in double precision. NaN comes out as NaN. */
export type ElementFunction = (x: number) => number

const clamp = (x: number, min: number, max: number) => {
  const low = x < min ? min : x
  return low > max ? max : low
}
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const hardswish = (x: number) => x * clamp(x / 6 + 0.5, 0, 1)
/** As C99 Annex F has it: 1 to any power is 1, and so is -1 to an infinite one. */
const power = (x: number, y: number) =>
  x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) ? 1 : x ** y
const leaky = (x: number, slope: number) => (x < 0 ? x * slope : x)

export function unaryFunction(kind: UnaryKind, alpha: number, beta: number): ElementFunction {
  switch (kind) {
    case 'identity':
      return (x) => x
    case 'relu':
      return (x) => (x < 0 ? 0 : x)
    case 'clamp':
      return (x) => clamp(x, alpha, beta)
    case 'leakyrelu':
      return (x) => leaky(x, alpha)
    case 'sigmoid':
      return sigmoid
    case 'tanh':
      return Math.tanh
    case 'exp':
      return Math.exp
    case 'log':
      return Math.log
    case 'sqrt':
      return Math.sqrt
    case 'neg':
      return (x) => -x
    case 'abs':
      return Math.abs
    case 'erf':
      return erf
    case 'reciprocal':
      return (x) => 1 / x
    case 'hardsigmoid':
      return (x) => clamp(alpha * x + beta, 0, 1)
    case 'hardswish':
      return hardswish
    case 'elu':
      return (x) => (x < 0 ? alpha * Math.expm1(x) : x)
    case 'softplus':
      return (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
    case 'floor':
      return Math.floor
    case 'ceil':
      return Math.ceil
  }
}

export function activationFunction({ kind, alpha, beta }: Activation): ElementFunction {
  switch (kind) {
    case 'none':
      return (x) => x
    case 'silu':
      return (x) => x * sigmoid(x)
    case 'gelu':
      return (x) => 0.5 * x * (1 + erf(x / Math.SQRT2))
    default:
      return unaryFunction(kind, alpha, beta)
  }
}

export function binaryFunction(kind: BinaryKind): (x: number, y: number) => number {
  switch (kind) {
    case 'add':
      return (x, y) => x + y
    case 'sub':
      return (x, y) => x - y
    case 'mul':
      return (x, y) => x * y
    case 'div':
      return (x, y) => x / y
    case 'min':
      return Math.min
    case 'max':
      return Math.max
    case 'pow':
      return power
    case 'prelu':
      return leaky
  }
}
