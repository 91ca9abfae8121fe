// SPDX-License-Identifier: Apache-2.0
// Kernels that need to know where in its window the largest pixel lies.
import * as tf from '@tensorflow/tfjs-core'
import type { MlcapsuleBackend } from '../backend.ts'
import { zeros } from '../cast.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
import { largestTaps, windowsOfImage } from '../taps.ts'
import type { NumberDType } from '../tensor-memory.ts'

const maxPoolWithArgmax = defineKernel<tf.MaxPoolWithArgmaxInputs, tf.MaxPoolWithArgmaxAttrs>(
  tf.MaxPoolWithArgmax,
  ({ inputs: { x }, attrs: { filterSize, strides, pad, includeBatchInIndex }, backend }) => {
    const shape = x.shape as [number, number, number, number]
    const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad)
    const from = backend.numbers(x)
    const { elements, values } = largestTaps(windowsOfImage(info), (element) => from[element] as number)
    const perImage = tf.util.sizeFromShape(shape.slice(1))
    const indices = includeBatchInIndex ? elements : elements.map((element) => element % perImage)
    return [
      backend.makeOf(info.outShape, x.dtype as NumberDType, values),
      backend.makeOf(info.outShape, 'int32', indices),
    ]
  },
)

interface DilationInputs {
  readonly x: tf.TensorInfo
  readonly filter: tf.TensorInfo
}

/** Grayscale dilation: the largest sum of a pixel and the filter's number over it. */
function dilate(
  backend: MlcapsuleBackend,
  { x, filter }: DilationInputs,
  { strides, pad, dilations }: tf.Dilation2DAttrs,
) {
  const info = tf.backend_util.computeDilation2DInfo(
    x.shape as [number, number, number, number],
    filter.shape as [number, number, number],
    strides,
    pad,
    'NHWC',
    dilations,
  )
  const from = backend.numbers(x)
  const weights = backend.numbers(filter)
  const channels = info.inChannels
  const found = largestTaps(
    windowsOfImage(info),
    (element, tap, c) => (from[element] as number) + (weights[tap * channels + c] as number),
  )
  return { info, ...found }
}

const dilation2D = defineKernel<tf.Dilation2DInputs, tf.Dilation2DAttrs>(
  tf.Dilation2D,
  ({ inputs, attrs, backend }) => {
    const { info, values } = dilate(backend, inputs, attrs)
    return backend.makeOf(info.outShape, inputs.x.dtype as NumberDType, values)
  },
)

const dilation2DBackpropInput = defineKernel<tf.Dilation2DBackpropInputInputs, tf.Dilation2DAttrs>(
  tf.Dilation2DBackpropInput,
  ({ inputs, attrs, backend }) => {
    const { elements } = dilate(backend, inputs, attrs)
    const made = zeros(backend, inputs.x.shape)
    const slopes = backend.numbers(inputs.dy)
    const to = backend.numbers(made)
    for (const [output, element] of elements.entries()) {
      if (element >= 0) to[element] = (to[element] as number) + (slopes[output] as number)
    }
    return made
  },
)

const dilation2DBackpropFilter = defineKernel<tf.Dilation2DBackpropFilterInputs, tf.Dilation2DAttrs>(
  tf.Dilation2DBackpropFilter,
  ({ inputs, attrs, backend }) => {
    const { info, taps } = dilate(backend, inputs, attrs)
    const made = zeros(backend, inputs.filter.shape)
    const slopes = backend.numbers(inputs.dy)
    const to = backend.numbers(made)
    for (const [output, tap] of taps.entries()) {
      const at = tap * info.inChannels + (output % info.inChannels)
      if (tap >= 0) to[at] = (to[at] as number) + (slopes[output] as number)
    }
    return made
  },
)

export const largestTapKernels: readonly TfjsKernel[] = [
  maxPoolWithArgmax,
  dilation2D,
  dilation2DBackpropInput,
  dilation2DBackpropFilter,
]
