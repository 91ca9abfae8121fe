// SPDX-License-Identifier: Apache-2.0
// Gradients of poolings, for training: plain loops.
import * as tf from '@tensorflow/tfjs-core'
import type { MlcapsuleBackend } from '../backend.ts'
import { zeros } from '../cast.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
import { eachTap, largestTaps, type Shape4, type Shape5, type Windows, windowsOfImage } from '../taps.ts'

/** The slope goes to the first of the largest pixels of a window. */
function maxPoolGradient(
  backend: MlcapsuleBackend,
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  info: Windows,
): tf.TensorInfo {
  const made = zeros(backend, x.shape)
  const from = backend.numbers(x)
  const slopes = backend.numbers(dy)
  const to = backend.numbers(made)
  const { elements } = largestTaps(info, (element) => from[element] as number)
  for (const [output, element] of elements.entries()) {
    if (element >= 0) to[element] = (to[element] as number) + (slopes[output] as number)
  }
  return made
}

/** The slope goes to all pixels of a window alike, as if none lay outside. */
function averagePoolGradient(
  backend: MlcapsuleBackend,
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  info: Windows,
): tf.TensorInfo {
  const made = zeros(backend, x.shape)
  const slopes = backend.numbers(dy)
  const to = backend.numbers(made)
  const channels = info.inChannels
  const tapCount = info.filterDepth * info.filterHeight * info.filterWidth
  eachTap(info, (output, input) => {
    for (let c = 0; c < channels; c++) {
      const at = input * channels + c
      to[at] = (to[at] as number) + (slopes[output * channels + c] as number) / tapCount
    }
  })
  return made
}

type PoolGradient = typeof maxPoolGradient

const pool2dGradient = (name: string, gradient: PoolGradient) =>
  defineKernel<tf.MaxPoolGradInputs, tf.MaxPoolGradAttrs>(
    name,
    ({ inputs: { dy, input }, attrs: { filterSize, strides, pad, dimRoundingMode }, backend }) => {
      const shape = input.shape as Shape4
      const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode)
      return gradient(backend, input, dy, windowsOfImage(info))
    },
  )

const pool3dGradient = (name: string, gradient: PoolGradient) =>
  defineKernel<tf.MaxPool3DGradInputs, tf.MaxPool3DGradAttrs>(
    name,
    ({ inputs: { dy, input }, attrs: { filterSize, strides, pad, dimRoundingMode }, backend }) => {
      const shape = input.shape as Shape5
      const info = tf.backend_util.computePool3DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode)
      return gradient(backend, input, dy, info)
    },
  )

export const poolGradientKernels: readonly TfjsKernel[] = [
  pool2dGradient(tf.MaxPoolGrad, maxPoolGradient),
  pool2dGradient(tf.AvgPoolGrad, averagePoolGradient),
  pool3dGradient(tf.MaxPool3DGrad, maxPoolGradient),
  pool3dGradient(tf.AvgPool3DGrad, averagePoolGradient),
]
