// SPDX-License-Identifier: Apache-2.0
// Kernels that detectors need: boxes are [y1, x1, y2, x2].
import * as tf from '@tensorflow/tfjs-core'
import type { MlcapsuleBackend } from '../backend.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'

/** Where `count` samples between two fractions of a side lie, in pixels. */
function samples(low: number, high: number, size: number, count: number): number[] {
  const step = count > 1 ? ((high - low) * (size - 1)) / (count - 1) : 0
  return Array.from({ length: count }, (_, i) =>
    count > 1 ? low * (size - 1) + i * step : 0.5 * (low + high) * (size - 1),
  )
}

const cropAndResize = defineKernel<tf.CropAndResizeInputs, tf.CropAndResizeAttrs>(
  tf.CropAndResize,
  ({ inputs: { image, boxes, boxInd }, attrs: { cropSize, method, extrapolationValue }, backend }) => {
    const [batch, height, width, channels] = image.shape as [number, number, number, number]
    const [boxCount = 0] = boxes.shape
    const made = backend.make([boxCount, ...cropSize, channels], 'float32')
    const from = backend.numbers(image)
    const corners = backend.numbers(boxes)
    const to = backend.numbers(made)
    to.fill(extrapolationValue)
    const images = backend.numbers(boxInd)
    for (let box = 0; box < boxCount; box++) {
      const picture = images[box] as number
      if (!(picture >= 0 && picture < batch)) continue
      const [y1, x1, y2, x2] = corners.subarray(box * 4, box * 4 + 4) as unknown as [
        number,
        number,
        number,
        number,
      ]
      const columns = samples(x1, x2, width, cropSize[1])
      for (const [r, y] of samples(y1, y2, height, cropSize[0]).entries()) {
        if (!(y >= 0 && y <= height - 1)) continue
        for (const [c, x] of columns.entries()) {
          if (!(x >= 0 && x <= width - 1)) continue
          const at = ((box * cropSize[0] + r) * cropSize[1] + c) * channels
          const pixel = (row: number, column: number) =>
            ((picture * height + row) * width + column) * channels
          if (method === 'nearest') {
            const start = pixel(Math.round(y), Math.round(x))
            for (let k = 0; k < channels; k++) to[at + k] = from[start + k] as number
            continue
          }
          const [top, left] = [Math.floor(y), Math.floor(x)]
          const [bottom, right] = [Math.ceil(y), Math.ceil(x)]
          const [a, b] = [pixel(top, left), pixel(top, right)]
          const [d, e] = [pixel(bottom, left), pixel(bottom, right)]
          for (let k = 0; k < channels; k++) {
            const above = mix(from[a + k] as number, from[b + k] as number, x - left)
            const below = mix(from[d + k] as number, from[e + k] as number, x - left)
            to[at + k] = mix(above, below, y - top)
          }
        }
      }
    }
    return made
  },
)

const mix = (low: number, high: number, share: number) => low + (high - low) * share

const list = (backend: MlcapsuleBackend, values: readonly number[], dtype: 'int32' | 'float32' = 'int32') =>
  backend.makeOf([values.length], dtype, values)

const floats = (backend: MlcapsuleBackend, tensor: tf.TensorInfo) => backend.numbers(tensor) as Float32Array

const nonMaxSuppressionV3 = defineKernel<tf.NonMaxSuppressionV3Inputs, tf.NonMaxSuppressionV3Attrs>(
  tf.NonMaxSuppressionV3,
  ({ inputs: { boxes, scores }, attrs: { maxOutputSize, iouThreshold, scoreThreshold }, backend }) => {
    const { selectedIndices } = tf.kernel_impls.nonMaxSuppressionV3Impl(
      floats(backend, boxes),
      floats(backend, scores),
      maxOutputSize,
      iouThreshold,
      scoreThreshold,
    )
    return list(backend, selectedIndices)
  },
)

const nonMaxSuppressionV4 = defineKernel<tf.NonMaxSuppressionV4Inputs, tf.NonMaxSuppressionV4Attrs>(
  tf.NonMaxSuppressionV4,
  ({ inputs: { boxes, scores }, attrs, backend }) => {
    const { selectedIndices, validOutputs } = tf.kernel_impls.nonMaxSuppressionV4Impl(
      floats(backend, boxes),
      floats(backend, scores),
      attrs.maxOutputSize,
      attrs.iouThreshold,
      attrs.scoreThreshold,
      attrs.padToMaxOutputSize,
    )
    return [list(backend, selectedIndices), backend.makeOf([], 'int32', [validOutputs ?? 0])]
  },
)

const nonMaxSuppressionV5 = defineKernel<tf.NonMaxSuppressionV5Inputs, tf.NonMaxSuppressionV5Attrs>(
  tf.NonMaxSuppressionV5,
  ({ inputs: { boxes, scores }, attrs, backend }) => {
    const { selectedIndices, selectedScores } = tf.kernel_impls.nonMaxSuppressionV5Impl(
      floats(backend, boxes),
      floats(backend, scores),
      attrs.maxOutputSize,
      attrs.iouThreshold,
      attrs.scoreThreshold,
      attrs.softNmsSigma,
    )
    return [list(backend, selectedIndices), list(backend, selectedScores ?? [], 'float32')]
  },
)

export const detectionKernels: readonly TfjsKernel[] = [
  cropAndResize,
  nonMaxSuppressionV3,
  nonMaxSuppressionV4,
  nonMaxSuppressionV5,
]
