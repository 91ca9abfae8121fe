// SPDX-License-Identifier: Apache-2.0
import * as tf from '@tensorflow/tfjs-core'
import type { MlcapsuleBackend } from '../backend.ts'
import { castTensor, withFloats } from '../cast.ts'
import { binaryInto, binaryRecord } from '../elementwise.ts'
import { defineKernel, type Given, type TfjsKernel } from '../kernel.ts'

/** What the image is multiplied with, and what is then added: parameters per channel, or per element. */
function affineOf(
  backend: MlcapsuleBackend,
  { mean, variance, scale, offset }: Omit<Given<tf.FusedBatchNormInputs>, 'x'>,
  epsilon: number,
): readonly [factor: tf.TensorInfo, addend: tf.TensorInfo] {
  const deviation = backend.make(variance.shape, 'float32')
  const from = backend.numbers(variance)
  const to = backend.numbers(deviation)
  for (let i = 0; i < to.length; i++) to[i] = 1 / Math.sqrt((from[i] as number) + epsilon)
  const factor = scale
    ? binaryRecord(backend, 'mul', scale, deviation)
    : backend.share(deviation, deviation.shape)
  const shift = binaryRecord(backend, 'mul', mean, factor)
  const zero = offset ?? backend.makeOf([], 'float32', [0])
  const addend = binaryRecord(backend, 'sub', zero, shift)
  backend.release(deviation, shift, ...(offset ? [] : [zero]))
  return [factor, addend]
}

const fusedBatchNorm = defineKernel<tf.FusedBatchNormInputs, tf.FusedBatchNormAttrs>(
  tf.FusedBatchNorm,
  ({ inputs: { x, ...parameters }, attrs: { varianceEpsilon }, backend }) => {
    const [factor, addend] = affineOf(backend, parameters, varianceEpsilon ?? 0.001)
    const normal = withFloats(backend, x, (floats) => {
      const made = backend.make(x.shape, 'float32')
      binaryInto(backend, 'mul', floats, factor, made)
      binaryInto(backend, 'add', made, addend, made)
      return made
    })
    const made = castTensor(backend, normal, x.dtype)
    backend.release(factor, addend, normal)
    return made
  },
)

/** x / (bias + alpha · sum of the squares of the channels within the radius)^beta. */
const lrn = defineKernel<tf.LRNInputs, tf.LRNAttrs>(
  tf.LRN,
  ({ inputs: { x }, attrs: { depthRadius, bias, alpha, beta }, backend }) => {
    const made = backend.make(x.shape, 'float32')
    const from = backend.numbers(x)
    const to = backend.numbers(made)
    const channels = x.shape.at(-1) ?? 1
    for (let pixel = 0; pixel < from.length; pixel += channels) {
      for (let c = 0; c < channels; c++) {
        let sum = 0
        const last = Math.min(channels - 1, c + depthRadius)
        for (let near = Math.max(0, c - depthRadius); near <= last; near++) {
          const value = from[pixel + near] as number
          sum += value * value
        }
        to[pixel + c] = (from[pixel + c] as number) / (bias + alpha * sum) ** beta
      }
    }
    return made
  },
)

export const normalizationKernels: readonly TfjsKernel[] = [fusedBatchNorm, lrn]
