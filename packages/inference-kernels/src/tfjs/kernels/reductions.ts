// SPDX-License-Identifier: Apache-2.0
import * as tf from '@tensorflow/tfjs-core'
import type { MlcapsuleBackend } from '../backend.ts'
import { castTensor, withFloats } from '../cast.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
import { integerOperand, runOperator } from '../run-operator.ts'

interface ReduceAttrs {
  readonly axis: number | number[]
  readonly keepDims: boolean
}

function reduce(
  backend: MlcapsuleBackend,
  operator: string,
  x: tf.TensorInfo,
  { axis, keepDims }: ReduceAttrs,
): tf.TensorInfo {
  const axes = tf.util.parseAxisParam(axis, x.shape)
  // ONNX takes no axes for all axes, tfjs for none.
  if (axes.length === 0) return backend.share(x, x.shape)
  const attributes = { keepdims: keepDims ?? false }
  return runOperator(backend, operator, [x, integerOperand(axes)], attributes)[0] as tf.TensorInfo
}

/** @param prepare the dtype that the operand is cast to */
const reduction = (name: string, operator: string, prepare: (dtype: tf.DataType) => tf.DataType) =>
  defineKernel<tf.SumInputs, ReduceAttrs>(name, ({ inputs: { x }, attrs, backend }) => {
    const prepared = castTensor(backend, x, prepare(x.dtype))
    const made = reduce(backend, operator, prepared, attrs)
    backend.release(prepared)
    return made
  })

const same = (dtype: tf.DataType) => dtype
const counted = (dtype: tf.DataType) => (dtype === 'bool' ? 'int32' : dtype)

const argExtreme = (name: string, operator: string) =>
  defineKernel<tf.ArgMaxInputs, tf.ArgMaxAttrs>(name, ({ inputs: { x }, attrs: { axis }, backend }) => {
    const [only = 0] = tf.util.parseAxisParam(axis, x.shape)
    return withFloats(backend, x, (floats) =>
      runOperator(backend, operator, [floats], { axis: only, keepdims: false }),
    )
  })

export const reductionKernels: readonly TfjsKernel[] = [
  reduction(tf.Sum, 'ReduceSum', counted),
  reduction(tf.Mean, 'ReduceMean', () => 'float32'),
  reduction(tf.Max, 'ReduceMax', same),
  reduction(tf.Min, 'ReduceMin', same),
  reduction(tf.Prod, 'ReduceProd', counted),
  reduction(tf.All, 'ReduceMin', same),
  reduction(tf.Any, 'ReduceMax', same),
  argExtreme(tf.ArgMax, 'ArgMax'),
  argExtreme(tf.ArgMin, 'ArgMin'),
]
