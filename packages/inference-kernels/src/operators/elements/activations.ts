// SPDX-License-Identifier: Apache-2.0
import { erf } from '../../reference/erf.ts'
import { float, oneOf } from '../attributes.ts'
import type { Operator } from '../operator.ts'
import { defineUnary, type ElementFunction } from './unary.ts'

const sigmoid: ElementFunction = (x) => 1 / (1 + Math.exp(-x))
const softplus: ElementFunction = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
/** NaN stays NaN. */
const unit: ElementFunction = (x) => (x < 0 ? 0 : x > 1 ? 1 : x)
const relu: ElementFunction = (x) => (x < 0 ? 0 : x)

const gelu: Readonly<Record<'none' | 'tanh', ElementFunction>> = {
  none: (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  tanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
}

const plain = (name: string, one: ElementFunction) => defineUnary({ name, apply: () => one })

/** Activation functions of one element. */
export const activationOperators: readonly Operator[] = [
  plain('Sigmoid', sigmoid),
  plain('Softplus', softplus),
  plain('Softsign', (x) => x / (1 + Math.abs(x))),
  plain('HardSwish', (x) => x * unit(x / 6 + 0.5)),
  plain('Mish', (x) => x * Math.tanh(softplus(x))),
  defineUnary({
    name: 'Relu',
    dtypes: ['float32', 'int64', 'int32', 'int16', 'int8'],
    apply: () => ({
      float: relu,
      integer: relu,
      bigint: ((x: bigint) => (x < 0n ? 0n : x)) as unknown as ElementFunction,
    }),
  }),
  defineUnary({
    name: 'LeakyRelu',
    attributes: { alpha: float(0.01) },
    apply:
      ({ alpha }) =>
      (x) =>
        x < 0 ? alpha * x : x,
  }),
  defineUnary({
    name: 'Elu',
    attributes: { alpha: float(1) },
    apply:
      ({ alpha }) =>
      (x) =>
        x < 0 ? alpha * Math.expm1(x) : x,
  }),
  defineUnary({
    name: 'Celu',
    attributes: { alpha: float(1) },
    apply:
      ({ alpha }) =>
      (x) =>
        Math.max(x, 0) + Math.min(0, alpha * Math.expm1(x / alpha)),
  }),
  defineUnary({
    name: 'Selu',
    attributes: { alpha: float(1.6732631921768188), gamma: float(1.0507010221481323) },
    apply:
      ({ alpha, gamma }) =>
      (x) =>
        gamma * (x < 0 ? alpha * Math.expm1(x) : x),
  }),
  defineUnary({
    name: 'HardSigmoid',
    attributes: { alpha: float(0.2), beta: float(0.5) },
    apply:
      ({ alpha, beta }) =>
      (x) =>
        unit(alpha * x + beta),
  }),
  defineUnary({
    name: 'Swish',
    attributes: { alpha: float(1) },
    apply:
      ({ alpha }) =>
      (x) =>
        x * sigmoid(alpha * x),
  }),
  defineUnary({
    name: 'Gelu',
    attributes: { approximate: oneOf(['none', 'tanh']) },
    apply: ({ approximate }) => gelu[approximate],
  }),
  defineUnary({
    name: 'ThresholdedRelu',
    attributes: { alpha: float(1) },
    apply:
      ({ alpha }) =>
      (x) =>
        x <= alpha ? 0 : x,
  }),
  defineUnary({
    name: 'Shrink',
    attributes: { bias: float(0), lambd: float(0.5) },
    apply:
      ({ bias, lambd }) =>
      (x) =>
        x < -lambd ? x + bias : x > lambd ? x - bias : Number.isNaN(x) ? x : 0,
  }),
]
