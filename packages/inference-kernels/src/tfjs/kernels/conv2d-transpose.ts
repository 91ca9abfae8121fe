// SPDX-License-Identifier: Apache-2.0
import * as tf from '@tensorflow/tfjs-core'
import { floatWeights } from '../../records/weights.ts'
import { activationFields } from '../activation.ts'
import type { MlcapsuleBackend } from '../backend.ts'
import { countOf } from '../cast.ts'
import { copyBox, fillTensor, rowStrides } from '../copy-box.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
import { packColumns, packedCount } from '../pack-columns.ts'
import { requireReach, withChannelsLast } from '../window-fields.ts'

type Info = tf.backend_util.Conv2DInfo

/** The filter turned by half a turn, with its channels exchanged: [height, width, outputs, inputs]. */
function turned(
  filter: Float32Array,
  { filterHeight, filterWidth, inChannels, outChannels }: Info,
): Float32Array {
  const taps = filterHeight * filterWidth
  const result = new Float32Array(filter.length)
  for (let tap = 0; tap < taps; tap++) {
    for (let i = 0; i < inChannels; i++) {
      for (let o = 0; o < outChannels; o++) {
        const from = (tap * inChannels + i) * outChannels + o
        result[((taps - 1 - tap) * outChannels + o) * inChannels + i] = filter[from] as number
      }
    }
  }
  return result
}

/** Outputs that fall into the picture: index `first` and `count` of them, the first at place `start`. */
function inside(offset: number, stride: number, outCount: number, size: number) {
  const first = offset < 0 ? Math.ceil(-offset / stride) : 0
  const last = Math.min(outCount - 1, Math.floor((size - 1 - offset) / stride))
  return { first, count: Math.max(0, last - first + 1), start: offset + first * stride }
}

/**
 * `dy` with its pixels drawn apart by the strides, amid zeros, so that a convolution with stride 1 and the turned filter
 * gives the whole input.
 */
function drawnApart(backend: MlcapsuleBackend, dy: tf.TensorInfo, info: Info): tf.TensorInfo {
  const height = info.inHeight + info.effectiveFilterHeight - 1
  const width = info.inWidth + info.effectiveFilterWidth - 1
  const apart = backend.make([info.batchSize, height, width, info.outChannels], 'float32')
  fillTensor(backend, apart, 0)
  const top = info.effectiveFilterHeight - 1 - info.padInfo.top
  const left = info.effectiveFilterWidth - 1 - info.padInfo.left
  const rows = inside(top, info.strideHeight, info.outHeight, height)
  const columns = inside(left, info.strideWidth, info.outWidth, width)
  const from = rowStrides(dy.shape) as [number, number, number, number]
  const to = rowStrides(apart.shape) as [number, number, number, number]
  copyBox(
    backend,
    [info.batchSize, rows.count, columns.count, info.outChannels],
    { tensor: dy, start: rows.first * from[1] + columns.first * from[2], strides: from },
    {
      tensor: apart,
      start: rows.start * to[1] + columns.start * to[2],
      strides: [to[0], to[1] * info.strideHeight, to[2] * info.strideWidth, 1],
    },
  )
  return apart
}

function convolveBack(
  backend: MlcapsuleBackend,
  dy: tf.TensorInfo,
  filter: tf.TensorInfo,
  info: Info,
): tf.TensorInfo {
  const { batchSize, inHeight, inWidth, inChannels, outChannels, filterHeight, filterWidth } = info
  const made = backend.make([batchSize, inHeight, inWidth, inChannels], 'float32')
  if (countOf(made) === 0) return made
  const apart = drawnApart(backend, dy, info)
  const groups = {
    rowCount: filterHeight * filterWidth * outChannels,
    columnCount: inChannels,
    groupCount: 1,
  }
  const weights = backend.packedAddressBytes(
    filter,
    `turned ${filterHeight}x${filterWidth}x${inChannels}x${outChannels}`,
    packedCount(groups),
    (from, to) => packColumns(turned(from, info), to, groups),
  )
  backend.memoryOfTensors.run('conv2d', {
    input: backend.floatAddressBytes(apart),
    weights,
    bias: 0,
    residual: 0,
    output: backend.floatAddressBytes(made),
    batch: batchSize,
    inputHeight: apart.shape[1] as number,
    inputWidth: apart.shape[2] as number,
    inputChannels: outChannels,
    outputHeight: inHeight,
    outputWidth: inWidth,
    outputChannels: inChannels,
    kernelHeight: filterHeight,
    kernelWidth: filterWidth,
    strideHeight: 1,
    strideWidth: 1,
    padTop: 0,
    padLeft: 0,
    dilationHeight: info.dilationHeight,
    dilationWidth: info.dilationWidth,
    groups: 1,
    flags: 0,
    outputGap: 0,
    ...activationFields({}),
    ...floatWeights,
  })
  backend.release(apart)
  return made
}

/** Also what a transposed convolution is. */
const conv2DBackpropInput = defineKernel<tf.Conv2DBackpropInputInputs, tf.Conv2DBackpropInputAttrs>(
  tf.Conv2DBackpropInput,
  ({ inputs: { dy, filter }, attrs: { inputShape, strides, pad, dataFormat, dimRoundingMode }, backend }) => {
    const info = tf.backend_util.computeConv2DInfo(
      inputShape,
      filter.shape as [number, number, number, number],
      strides,
      1,
      pad,
      dimRoundingMode,
      false,
      tf.backend_util.convertConv2DDataFormat(dataFormat),
    )
    requireReach(dy, info.outShape)
    return withChannelsLast(backend, dy, info.dataFormat === 'channelsFirst', (last) =>
      convolveBack(backend, last, filter, info),
    )
  },
)

export const conv2dTransposeKernels: readonly TfjsKernel[] = [conv2DBackpropInput]
