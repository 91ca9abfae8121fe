// SPDX-License-Identifier: Apache-2.0
// Gradients of convolutions, for training: plain loops.
import * as tf from '@tensorflow/tfjs-core'
import type { MlcapsuleBackend } from '../backend.ts'
import { zeros } from '../cast.ts'
import { transposeTensor } from '../copy-box.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
import { eachTap, type Shape4, type Shape5, type Windows, windowsOfImage } from '../taps.ts'
import { requireReach } from '../window-fields.ts'

/** What a filter [taps, inputs, outputs] has to change by. */
function filterGradient(
  backend: MlcapsuleBackend,
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  info: Windows,
  shape: readonly number[],
): tf.TensorInfo {
  const { inChannels, outChannels } = info
  const made = zeros(backend, shape)
  const [from, slopes, to] = [x, dy, made].map((it) => backend.numbers(it)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  const sums = new Float64Array(to.length)
  eachTap(info, (output, input, tap) => {
    for (let i = 0; i < inChannels; i++) {
      const value = from[input * inChannels + i] as number
      const row = (tap * inChannels + i) * outChannels
      for (let o = 0; o < outChannels; o++) {
        sums[row + o] = (sums[row + o] as number) + value * (slopes[output * outChannels + o] as number)
      }
    }
  })
  to.set(sums)
  return made
}

const conv2DBackpropFilter = defineKernel<tf.Conv2DBackpropFilterInputs, tf.Conv2DBackpropFilterAttrs>(
  tf.Conv2DBackpropFilter,
  ({ inputs: { x, dy }, attrs: { strides, pad, dataFormat, dimRoundingMode, filterShape }, backend }) => {
    const format = tf.backend_util.convertConv2DDataFormat(dataFormat)
    const info = tf.backend_util.computeConv2DInfo(
      x.shape as Shape4,
      filterShape,
      strides,
      1,
      pad,
      dimRoundingMode,
      false,
      format,
    )
    const last = (it: tf.TensorInfo) =>
      format === 'channelsFirst' ? transposeTensor(backend, it, [0, 2, 3, 1]) : backend.share(it, it.shape)
    const operands = [last(x), last(dy)] as const
    const made = filterGradient(backend, ...operands, windowsOfImage(info), filterShape)
    backend.release(...operands)
    return made
  },
)

const conv3DBackpropFilter = defineKernel<tf.Conv3DBackpropFilterV2Inputs, tf.Conv3DBackpropFilterV2Attrs>(
  tf.Conv3DBackpropFilterV2,
  ({ inputs: { x, dy }, attrs: { strides, pad, filterShape }, backend }) => {
    const info = tf.backend_util.computeConv3DInfo(x.shape as Shape5, filterShape, strides, 1, pad)
    return filterGradient(backend, x, dy, info, filterShape)
  },
)

const conv3DBackpropInput = defineKernel<tf.Conv3DBackpropInputV2Inputs, tf.Conv3DBackpropInputV2Attrs>(
  tf.Conv3DBackpropInputV2,
  ({ inputs: { dy, filter }, attrs: { strides, pad, inputShape }, backend }) => {
    const info = tf.backend_util.computeConv3DInfo(inputShape, filter.shape as Shape5, strides, 1, pad)
    requireReach(dy, info.outShape)
    const { inChannels, outChannels } = info
    const made = zeros(backend, inputShape)
    const slopes = backend.numbers(dy)
    const weights = backend.numbers(filter)
    const to = backend.numbers(made)
    eachTap(info, (output, input, tap) => {
      for (let i = 0; i < inChannels; i++) {
        const row = (tap * inChannels + i) * outChannels
        let sum = 0
        for (let o = 0; o < outChannels; o++) {
          sum += (slopes[output * outChannels + o] as number) * (weights[row + o] as number)
        }
        to[input * inChannels + i] = (to[input * inChannels + i] as number) + sum
      }
    })
    return made
  },
)

/** Calls `visit` for each product of a depthwise convolution with the places of its three numbers. */
function eachDepthwiseProduct(
  info: tf.backend_util.Conv2DInfo,
  visit: (output: number, input: number, weight: number) => void,
): void {
  const { inChannels, outChannels } = info
  const multiplier = outChannels / inChannels
  eachTap(windowsOfImage(info), (output, input, tap) => {
    for (let o = 0; o < outChannels; o++) {
      const channel = Math.floor(o / multiplier)
      visit(output * outChannels + o, input * inChannels + channel, tap * outChannels + o)
    }
  })
}

const depthwiseInfo = (
  inputShape: readonly number[],
  filterShape: readonly number[],
  {
    strides,
    dilations,
    pad,
    dimRoundingMode,
  }: Omit<tf.DepthwiseConv2dNativeBackpropFilterAttrs, 'filterShape'>,
) =>
  tf.backend_util.computeConv2DInfo(
    inputShape as Shape4,
    filterShape as Shape4,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    true,
  )

const depthwiseBackpropFilter = defineKernel<
  tf.DepthwiseConv2dNativeBackpropFilterInputs,
  tf.DepthwiseConv2dNativeBackpropFilterAttrs
>(tf.DepthwiseConv2dNativeBackpropFilter, ({ inputs: { x, dy }, attrs, backend }) => {
  const made = zeros(backend, attrs.filterShape)
  const from = backend.numbers(x)
  const slopes = backend.numbers(dy)
  const to = backend.numbers(made)
  eachDepthwiseProduct(depthwiseInfo(x.shape, attrs.filterShape, attrs), (output, input, weight) => {
    to[weight] = (to[weight] as number) + (from[input] as number) * (slopes[output] as number)
  })
  return made
})

const depthwiseBackpropInput = defineKernel<
  tf.DepthwiseConv2dNativeBackpropInputInputs,
  tf.DepthwiseConv2dNativeBackpropInputAttrs
>(tf.DepthwiseConv2dNativeBackpropInput, ({ inputs: { dy, filter }, attrs, backend }) => {
  const made = zeros(backend, attrs.inputShape)
  const slopes = backend.numbers(dy)
  const weights = backend.numbers(filter)
  const to = backend.numbers(made)
  eachDepthwiseProduct(depthwiseInfo(attrs.inputShape, filter.shape, attrs), (output, input, weight) => {
    to[input] = (to[input] as number) + (weights[weight] as number) * (slopes[output] as number)
  })
  return made
})

export const convGradientKernels: readonly TfjsKernel[] = [
  conv2DBackpropFilter,
  conv3DBackpropFilter,
  conv3DBackpropInput,
  depthwiseBackpropFilter,
  depthwiseBackpropInput,
]
