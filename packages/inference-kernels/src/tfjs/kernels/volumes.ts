// SPDX-License-Identifier: Apache-2.0
// Convolution and pooling over three dimensions, [batch, depth, height, width, channels]: plain loops.
import * as tf from '@tensorflow/tfjs-core'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
import { eachTap, type Shape5 } from '../taps.ts'

const conv3D = defineKernel<tf.Conv3DInputs, tf.Conv3DAttrs>(
  tf.Conv3D,
  ({ inputs: { x, filter }, attrs: { strides, pad, dilations }, backend }) => {
    const info = tf.backend_util.computeConv3DInfo(
      x.shape as Shape5,
      filter.shape as Shape5,
      strides,
      dilations,
      pad,
    )
    const { inChannels, outChannels } = info
    const made = backend.make(info.outShape, 'float32')
    const from = backend.numbers(x)
    const weights = backend.numbers(filter)
    const to = backend.numbers(made)
    to.fill(0)
    eachTap(info, (output, input, tap) => {
      for (let i = 0; i < inChannels; i++) {
        const value = from[input * inChannels + i] as number
        const row = (tap * inChannels + i) * outChannels
        const at = output * outChannels
        for (let o = 0; o < outChannels; o++) {
          to[at + o] = (to[at + o] as number) + value * (weights[row + o] as number)
        }
      }
    })
    return made
  },
)

const pool3D = (name: string, isMax: boolean) =>
  defineKernel<tf.MaxPool3DInputs, tf.MaxPool3DAttrs>(
    name,
    ({ inputs: { x }, attrs: { filterSize, strides, pad, dimRoundingMode, dataFormat }, backend }) => {
      const shape = x.shape as Shape5
      const info = tf.backend_util.computePool3DInfo(
        shape,
        filterSize,
        strides,
        1,
        pad,
        dimRoundingMode,
        dataFormat,
      )
      const made = backend.make(info.outShape, 'float32')
      const from = backend.numbers(x)
      const to = backend.numbers(made)
      const channels = info.inChannels
      const counts = new Int32Array(isMax ? 0 : to.length / channels)
      to.fill(isMax ? Number.NEGATIVE_INFINITY : 0)
      eachTap(info, (output, input) => {
        if (!isMax) counts[output] = (counts[output] as number) + 1
        for (let c = 0; c < channels; c++) {
          const at = output * channels + c
          const value = from[input * channels + c] as number
          const old = to[at] as number
          to[at] = isMax ? (value > old ? value : old) : old + value
        }
      })
      if (!isMax) {
        for (let i = 0; i < to.length; i++) {
          to[i] = (to[i] as number) / Math.max(1, counts[Math.floor(i / channels)] as number)
        }
      }
      return made
    },
  )

export const volumeKernels: readonly TfjsKernel[] = [
  conv3D,
  pool3D(tf.MaxPool3D, true),
  pool3D(tf.AvgPool3D, false),
]
