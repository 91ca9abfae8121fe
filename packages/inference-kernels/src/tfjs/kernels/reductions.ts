// SPDX-License-Identifier: Apache-2.0
import * as tf from '@tensorflow/tfjs-core'
import { boxAround } from '../axis-box.ts'
import type { MlcapsuleBackend } from '../backend.ts'
import { castTensor } from '../cast.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
import { integerOperand, runOperator } from '../run-operator.ts'

interface ReduceAttrs {
  readonly axis: number | number[]
  readonly keepDims: boolean
}

/** Max alone calls its axes by another name. */
type Attrs = ReduceAttrs | { readonly reductionIndices: number | number[]; readonly keepDims: boolean }

function reduce(backend: MlcapsuleBackend, operator: string, x: tf.TensorInfo, attrs: Attrs): tf.TensorInfo {
  const axis = 'axis' in attrs ? attrs.axis : attrs.reductionIndices
  const axes = tf.util.parseAxisParam(axis, x.shape)
  // ONNX takes no axes for all axes, tfjs for none.
  if (axes.length === 0) return backend.share(x, x.shape)
  const attributes = { keepdims: attrs.keepDims ?? false }
  return runOperator(backend, operator, [x, integerOperand(axes)], attributes)
}

/** @param prepare the dtype that the operand is cast to */
const reduction = (name: string, operator: string, prepare: (dtype: tf.DataType) => tf.DataType) =>
  defineKernel<tf.SumInputs, Attrs>(name, ({ inputs: { x }, attrs, backend }) => {
    const prepared = castTensor(backend, x, prepare(x.dtype))
    const made = reduce(backend, operator, prepared, attrs)
    backend.release(prepared)
    return made
  })

const same = (dtype: tf.DataType) => dtype
const counted = (dtype: tf.DataType) => (dtype === 'bool' ? 'int32' : dtype)

/** Index of the largest or smallest element along an axis, the first of equal ones. NaN counts only where it comes first. */
const argExtreme = (name: string, isMax: boolean) =>
  defineKernel<tf.ArgMaxInputs, tf.ArgMaxAttrs>(name, ({ inputs: { x }, attrs: { axis }, backend }) => {
    const [only = 0] = tf.util.parseAxisParam(axis, x.shape)
    const { outer, size, inner } = boxAround(x.shape, only)
    const made = backend.make([...x.shape.slice(0, only), ...x.shape.slice(only + 1)], 'int32')
    const from = backend.numbers(x)
    const to = backend.numbers(made)
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const first = o * size * inner + i
        let best = 0
        let extreme = from[first] as number
        for (let n = 1; n < size; n++) {
          const value = from[first + n * inner] as number
          if (isMax ? value > extreme : value < extreme) {
            best = n
            extreme = value
          }
        }
        to[o * inner + i] = best
      }
    }
    return made
  })

export const reductionKernels: readonly TfjsKernel[] = [
  reduction(tf.Sum, 'ReduceSum', counted),
  reduction(tf.Mean, 'ReduceMean', () => 'float32'),
  reduction(tf.Max, 'ReduceMax', same),
  reduction(tf.Min, 'ReduceMin', same),
  reduction(tf.Prod, 'ReduceProd', counted),
  reduction(tf.All, 'ReduceMin', same),
  reduction(tf.Any, 'ReduceMax', same),
  argExtreme(tf.ArgMax, true),
  argExtreme(tf.ArgMin, false),
]
