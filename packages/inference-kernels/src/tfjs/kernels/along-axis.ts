// SPDX-License-Identifier: Apache-2.0
// Kernels that work along one axis.
import * as tf from '@tensorflow/tfjs-core'
import { enumNumber } from '../../records/record.ts'
import { boxAround } from '../axis-box.ts'
import type { MlcapsuleBackend } from '../backend.ts'
import { castTensor, countOf } from '../cast.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
import { integerOperand, runOperator, runOperatorForAll } from '../run-operator.ts'

/** Softmax of float32 along an axis. */
export function softmaxAlong(
  backend: MlcapsuleBackend,
  x: tf.TensorInfo,
  dim: number,
  softmax: 'softmax' | 'logsoftmax',
): tf.TensorInfo {
  const [axis = 0] = tf.util.parseAxisParam(dim, x.shape)
  const { outer, size, inner } = boxAround(x.shape, axis)
  const made = backend.make(x.shape, 'float32')
  if (countOf(x) === 0) return made
  backend.memoryOfTensors.run('softmax', {
    input: backend.floatAddressBytes(x),
    output: backend.floatAddressBytes(made),
    outerCount: outer,
    axisCount: size,
    innerCount: inner,
    softmax: enumNumber('softmax', softmax),
  })
  return made
}

/** Booleans are counted as numbers. */
const counted = (backend: MlcapsuleBackend, x: tf.TensorInfo) =>
  castTensor(backend, x, x.dtype === 'bool' ? 'int32' : x.dtype)

const cumsum = defineKernel<tf.CumsumInputs, tf.CumsumAttrs>(
  tf.Cumsum,
  ({ inputs: { x }, attrs: { axis, exclusive, reverse }, backend }) => {
    const [only = 0] = tf.util.parseAxisParam(axis, x.shape)
    const at = { ...integerOperand([only]), dims: [] }
    const numbers = counted(backend, x)
    const made = runOperator(backend, 'CumSum', [numbers, at], { exclusive, reverse })
    backend.release(numbers)
    return made
  },
)

const cumprod = defineKernel<tf.CumprodInputs, tf.CumprodAttrs>(
  tf.Cumprod,
  ({ inputs: { x }, attrs: { axis, exclusive, reverse }, backend }) => {
    const [only = 0] = tf.util.parseAxisParam(axis, x.shape)
    const { outer, size, inner } = boxAround(x.shape, only)
    const made = backend.make(x.shape, x.dtype === 'bool' ? 'int32' : x.dtype)
    const from = backend.numbers(x)
    const to = backend.numbers(made)
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let total = 1
        for (let n = 0; n < size; n++) {
          const at = (o * size + (reverse ? size - 1 - n : n)) * inner + i
          const next = total * (from[at] as number)
          to[at] = exclusive ? total : next
          total = next
        }
      }
    }
    return made
  },
)

const topK = defineKernel<tf.TopKInputs, tf.TopKAttrs>(tf.TopK, ({ inputs: { x }, attrs: { k }, backend }) =>
  runOperatorForAll(backend, 'TopK', [x, integerOperand([k])], {}, 2),
)

export const alongAxisKernels: readonly TfjsKernel[] = [
  defineKernel<tf.SoftmaxInputs, tf.SoftmaxAttrs>(
    tf.Softmax,
    ({ inputs: { logits }, attrs: { dim }, backend }) => softmaxAlong(backend, logits, dim, 'softmax'),
  ),
  defineKernel<tf.LogSoftmaxInputs, tf.LogSoftmaxAttrs>(
    tf.LogSoftmax,
    ({ inputs: { logits }, attrs: { axis }, backend }) => softmaxAlong(backend, logits, axis, 'logsoftmax'),
  ),
  cumsum,
  cumprod,
  topK,
]
