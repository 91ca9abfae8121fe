// SPDX-License-Identifier: Apache-2.0
// Convolutions, plain and depthwise, with what tfjs fuses into them.
import * as tf from '@tensorflow/tfjs-core'
import { recordFlags } from '../../abi.generated.ts'
import { floatWeights } from '../../records/weights.ts'
import { activationFields, applyActivation, type FusedActivation, finishActivation } from '../activation.ts'
import type { MlcapsuleBackend } from '../backend.ts'
import { countOf } from '../cast.ts'
import { copyBox, wholeOf } from '../copy-box.ts'
import { binaryInto } from '../elementwise.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
import { type ColumnGroups, packColumns, packedCount } from '../pack-columns.ts'
import { windowFields, withChannelsLast } from '../window-fields.ts'

interface Extras extends FusedActivation {
  readonly bias?: tf.TensorInfo | undefined
  readonly slopes?: tf.TensorInfo | undefined
}

type Info = tf.backend_util.Conv2DInfo

/** A bias of one number per channel; a single number is spread over them. Null for one of another shape. */
function channelBias(
  backend: MlcapsuleBackend,
  bias: tf.TensorInfo,
  channels: number,
  isFirst: boolean,
): tf.TensorInfo | null {
  const count = countOf(bias)
  const isAlong = bias.shape.at(isFirst ? -3 : -1) === channels
  if (isAlong && count === channels) return backend.share(bias, [channels])
  if (count !== 1) return null
  const spread = backend.make([channels], 'float32')
  copyBox(backend, [channels], { tensor: bias, start: 0, strides: [0] }, wholeOf(spread))
  return spread
}

/** Per-channel operands of rank 1 lie along the channels, wherever those are. */
function alongChannels(tensor: tf.TensorInfo | undefined, isFirst: boolean): tf.TensorInfo | undefined {
  const [size] = tensor?.shape ?? []
  return isFirst && tensor?.shape.length === 1 && size !== undefined
    ? { ...tensor, shape: [size, 1, 1] }
    : tensor
}

/** The filter [height, width, inputs, outputs] packed by groups of output channels. */
function packedFilter(backend: MlcapsuleBackend, filter: tf.TensorInfo, groups: ColumnGroups): number {
  const { rowCount, columnCount, groupCount } = groups
  return backend.packedAddressBytes(
    filter,
    `panels ${rowCount}x${columnCount}/${groupCount}`,
    packedCount(groups),
    (from, to) => packColumns(from, to, groups),
  )
}

function convolve(
  backend: MlcapsuleBackend,
  image: tf.TensorInfo,
  filter: tf.TensorInfo,
  info: Info,
  bias: tf.TensorInfo | null,
  fused: FusedActivation,
  isDepthwise: boolean,
): tf.TensorInfo {
  const { batchSize, outHeight, outWidth, outChannels, inChannels, filterHeight, filterWidth } = info
  const made = backend.make([batchSize, outHeight, outWidth, outChannels], 'float32')
  if (countOf(made) === 0) return made
  const taps = filterHeight * filterWidth
  const shared = {
    input: backend.floatAddressBytes(image),
    output: backend.floatAddressBytes(made),
    bias: bias === null ? 0 : backend.floatAddressBytes(bias),
    flags: bias === null ? 0 : recordFlags.hasBias,
    ...windowFields(info),
    ...activationFields(fused),
  }
  if (isDepthwise && outChannels === inChannels) {
    const weights = packedFilter(backend, filter, { rowCount: taps, columnCount: inChannels, groupCount: 1 })
    backend.memoryOfTensors.run('depthwiseConv2d', { ...shared, weights, channels: inChannels })
    return made
  }
  const groups = isDepthwise ? inChannels : 1
  const rowCount = taps * (inChannels / groups)
  const weights = packedFilter(backend, filter, { rowCount, columnCount: outChannels, groupCount: groups })
  backend.memoryOfTensors.run('conv2d', {
    ...shared,
    weights,
    residual: 0,
    inputChannels: inChannels,
    outputChannels: outChannels,
    outputGap: 0,
    groups,
    ...floatWeights,
  })
  return made
}

function convolution(
  backend: MlcapsuleBackend,
  x: tf.TensorInfo,
  filter: tf.TensorInfo,
  info: Info,
  extras: Extras,
  isDepthwise: boolean,
): tf.TensorInfo {
  const isFirst = info.dataFormat === 'channelsFirst'
  const given = alongChannels(extras.bias, isFirst)
  const bias = given && channelBias(backend, given, info.outChannels, isFirst)
  // A bias of another shape, and the activation after it, come once the image lies in its own order.
  const isBiasLeft = bias === null
  const fused = isBiasLeft ? {} : extras
  const made = withChannelsLast(backend, x, isFirst, (image) =>
    convolve(backend, image, filter, info, bias ?? null, fused, isDepthwise),
  )
  if (bias) backend.release(bias)
  const slopes = alongChannels(extras.slopes, isFirst)
  if (isBiasLeft) {
    binaryInto(backend, 'add', made, given as tf.TensorInfo, made)
    applyActivation(backend, made, extras, slopes)
  } else finishActivation(backend, made, extras, slopes)
  return made
}

const infoOf = (
  x: tf.TensorInfo,
  filter: tf.TensorInfo,
  { strides, pad, dataFormat, dilations, dimRoundingMode }: tf.Conv2DAttrs,
  isDepthwise: boolean,
): Info =>
  tf.backend_util.computeConv2DInfo(
    x.shape as [number, number, number, number],
    filter.shape as [number, number, number, number],
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    isDepthwise,
    tf.backend_util.convertConv2DDataFormat(dataFormat ?? 'NHWC'),
  )

const plain = (name: string, isDepthwise: boolean) =>
  defineKernel<tf.Conv2DInputs, tf.Conv2DAttrs>(name, ({ inputs: { x, filter }, attrs, backend }) =>
    convolution(backend, x, filter, infoOf(x, filter, attrs, isDepthwise), {}, isDepthwise),
  )

const fused = (name: string, isDepthwise: boolean) =>
  defineKernel<tf.FusedConv2DInputs, tf.FusedConv2DAttrs>(name, ({ inputs, attrs, backend }) => {
    const { x, filter, bias, preluActivationWeights: slopes } = inputs
    const { activation, leakyreluAlpha } = attrs
    const extras = { bias, slopes, activation, leakyreluAlpha }
    return convolution(backend, x, filter, infoOf(x, filter, attrs, isDepthwise), extras, isDepthwise)
  })

export const conv2dKernels: readonly TfjsKernel[] = [
  plain(tf.Conv2D, false),
  plain(tf.DepthwiseConv2dNative, true),
  fused(tf.FusedConv2D, false),
  fused(tf.FusedDepthwiseConv2D, true),
]
