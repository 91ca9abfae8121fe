// SPDX-License-Identifier: Apache-2.0
// Functions of one element. Where tfjs allows integers their dtype stays.
import * as tf from '@tensorflow/tfjs-core'
import { roundHalfEven } from '../../operators/elements/elements.ts'
import { withFloats } from '../cast.ts'
import { binaryInto, mapTensor, type UnaryName, unaryInto } from '../elementwise.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
import { runOperator } from '../run-operator.ts'

type Numbers = (x: number) => number

/**
 * A function that the kernels have a record for.
 * @param whole its counterpart for integers; without one they become float32
 */
function byRecord<Attrs>(
  name: string,
  unary: UnaryName,
  parameters: (attrs: Attrs) => readonly [alpha: number, beta: number] = () => [0, 0],
  whole?: (attrs: Attrs) => Numbers,
): TfjsKernel {
  return defineKernel<tf.UnaryInputs, Attrs>(name, ({ inputs: { x }, attrs, backend }) => {
    if (whole !== undefined && x.dtype !== 'float32') return mapTensor(backend, x, whole(attrs))
    return withFloats(backend, x, (floats) => {
      const made = backend.make(x.shape, 'float32')
      unaryInto(backend, unary, floats, made, ...parameters(attrs))
      return made
    })
  })
}

/** A function of float32 that the operators of models have too. */
function byOperator(name: string, operator: string): TfjsKernel {
  return defineKernel<tf.UnaryInputs>(name, ({ inputs: { x }, backend }) =>
    withFloats(backend, x, (floats) => runOperator(backend, operator, [floats])),
  )
}

/** A function whose result is float32. */
function floatFunction(name: string, one: Numbers): TfjsKernel {
  return defineKernel<tf.UnaryInputs>(name, ({ inputs: { x }, backend }) =>
    mapTensor(backend, x, one, 'float32'),
  )
}

/** A function whose result has the dtype of its operand. */
function anyFunction<Attrs>(name: string, one: (attrs: Attrs) => Numbers): TfjsKernel {
  return defineKernel<tf.UnaryInputs, Attrs>(name, ({ inputs: { x }, attrs, backend }) =>
    mapTensor(backend, x, one(attrs)),
  )
}

const clamp = (least: number, most: number): Numbers => {
  return (x) => (x < least ? least : x > most ? most : x)
}
const same: Numbers = (x) => x

const square = defineKernel<tf.SquareInputs>(tf.Square, ({ inputs: { x }, backend }) => {
  if (x.dtype !== 'float32') return mapTensor(backend, x, (value) => Math.imul(value, value))
  const made = backend.make(x.shape, 'float32')
  binaryInto(backend, 'mul', x, x, made)
  return made
})

export const functionKernels: readonly TfjsKernel[] = [
  byRecord(tf.Relu, 'relu', undefined, () => clamp(0, Number.POSITIVE_INFINITY)),
  byRecord(
    tf.Relu6,
    'clamp',
    () => [0, 6],
    () => clamp(0, 6),
  ),
  byRecord<tf.ClipByValueAttrs>(
    tf.ClipByValue,
    'clamp',
    ({ clipValueMin, clipValueMax }) => [clipValueMin, clipValueMax],
    ({ clipValueMin, clipValueMax }) => clamp(clipValueMin, clipValueMax),
  ),
  byRecord<tf.LeakyReluAttrs>(tf.LeakyRelu, 'leakyrelu', ({ alpha }) => [alpha, 0]),
  byRecord(tf.Elu, 'elu', () => [1, 0]),
  byRecord(tf.Sigmoid, 'sigmoid'),
  byRecord(tf.Softplus, 'softplus'),
  byRecord(tf.Tanh, 'tanh'),
  byRecord(tf.Erf, 'erf'),
  byRecord(tf.Exp, 'exp'),
  byRecord(tf.Log, 'log'),
  byRecord(tf.Sqrt, 'sqrt'),
  byRecord(tf.Reciprocal, 'reciprocal'),
  byRecord(tf.Abs, 'abs', undefined, () => Math.abs),
  byRecord(tf.Neg, 'neg', undefined, () => (x) => -x),
  byRecord(tf.Floor, 'floor', undefined, () => same),
  byRecord(tf.Ceil, 'ceil', undefined, () => same),
  byOperator(tf.Selu, 'Selu'),
  byOperator(tf.Sin, 'Sin'),
  byOperator(tf.Cos, 'Cos'),
  byOperator(tf.Tan, 'Tan'),
  byOperator(tf.Asin, 'Asin'),
  byOperator(tf.Acos, 'Acos'),
  byOperator(tf.Atan, 'Atan'),
  byOperator(tf.Sinh, 'Sinh'),
  byOperator(tf.Cosh, 'Cosh'),
  byOperator(tf.Asinh, 'Asinh'),
  byOperator(tf.Acosh, 'Acosh'),
  byOperator(tf.Atanh, 'Atanh'),
  byOperator(tf.IsNan, 'IsNaN'),
  byOperator(tf.IsInf, 'IsInf'),
  defineKernel<tf.UnaryInputs>(tf.IsFinite, ({ inputs: { x }, backend }) =>
    mapTensor(backend, x, (value) => (Number.isFinite(value) ? 1 : 0), 'bool'),
  ),
  defineKernel<tf.LogicalNotInputs>(tf.LogicalNot, ({ inputs: { x }, backend }) =>
    mapTensor(backend, x, (value) => (value === 0 ? 1 : 0), 'bool'),
  ),
  floatFunction(tf.Rsqrt, (x) => 1 / Math.sqrt(x)),
  floatFunction(tf.Expm1, Math.expm1),
  floatFunction(tf.Log1p, Math.log1p),
  anyFunction(tf.Sign, () => (x) => (x > 0 ? 1 : x < 0 ? -1 : 0)),
  anyFunction(tf.Round, () => roundHalfEven),
  anyFunction<tf.StepAttrs>(tf.Step, ({ alpha }) => {
    return (x) => (x > 0 ? 1 : Number.isNaN(x) ? x : alpha)
  }),
  square,
]
